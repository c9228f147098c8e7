//! Sets of names that the service may extend at any time.

/// Defines a type for the names of such a set: any name is carried, the ones given here have constants.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $constant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::borrow::Cow<'static, str>);

        impl $name {
            $($(#[$variant_doc])* pub const $constant: Self = Self(std::borrow::Cow::Borrowed($text));)*

            /// The name as the service writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(name: T) -> Self {
                Self(std::borrow::Cow::Owned(name.into()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                crate::error::Printable(&self.0).fmt(f)
            }
        }
    };
}

pub(crate) use open_enum;
