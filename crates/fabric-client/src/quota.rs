//! What requests count against: the service's quotas for one identity.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/articles/throttling>.

/// One of the quotas that the service keeps for an identity. Who has used one up may still use the others, so each has a
/// throttle gate and a circuit breaker of its own.
///
/// A request carries it in its [`Operation`](crate::Operation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quota {
    /// Everything that no other quota is for.
    #[default]
    Platform,
    /// The job scheduler: jobs, their instances and schedules.
    Jobs,
    /// Long-running operations: their state and their result.
    Operations,
}

impl Quota {
    /// The quota in one word, as the name of its gate and breaker ends; empty for [`Quota::Platform`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "",
            Self::Jobs => "jobs",
            Self::Operations => "operations",
        }
    }

    /// What a request to `path`, relative to the API's base, counts against.
    pub(crate) fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        match segments.next() {
            Some("operations") => Self::Operations,
            // `/workspaces/{id}/items/{id}/jobs/..`, with the item's type in place of `items` in some.
            Some("workspaces") if segments.nth(3) == Some("jobs") => Self::Jobs,
            _ => Self::Platform,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, FabricClassify, OperationId, Request, operations};
    use http::Method;
    use selvedge_resilience::{Classify as _, Effect};
    use std::borrow::Cow;

    fn class(request: &Request) -> Cow<'static, str> {
        let class = FabricClassify.class(request);
        assert!(matches!(class, Cow::Borrowed(_)), "{class}: one allocation for each request");
        class
    }

    #[test]
    fn the_class_of_a_request_is_the_quota_of_its_endpoint() {
        let id = uuid::Uuid::nil();
        let item = format!("/workspaces/{id}/items/{id}");
        for (path, expected) in [
            ("/workspaces".to_owned(), ""),
            (format!("/workspaces/{id}"), ""),
            (item.clone(), ""),
            (format!("{item}/getDefinition"), ""),
            (format!("{item}/jobs/instances?jobType=RunNotebook"), "jobs"),
            (format!("{item}/jobs/instances/{id}/cancel"), "jobs"),
            (format!("{item}/jobs/Pipeline/schedules"), "jobs"),
            (format!("/workspaces/{id}/lakehouses/{id}/jobs/TableMaintenance/instances"), "jobs"),
            // What somebody called so.
            ("/workspaces/jobs".to_owned(), ""),
            (format!("/workspaces/{id}/folders/jobs"), ""),
            (format!("/operations/{id}"), "operations"),
            (format!("/operations/{id}/result"), "operations"),
            (format!("/workspaces/{id}/operations"), ""),
            (String::new(), ""),
        ] {
            let request = Call::<()>::new("x", Effect::Read, Method::GET, path.clone()).message.to_request();
            // An empty path is none; it is only not to be misread.
            let class = request.map_or(Cow::Borrowed(Quota::of(&path).as_str()), |request| class(&request));
            assert_eq!(class, expected, "{path}");
        }
        let id = OperationId::from(id);
        for call in [operations::get(id), operations::result(id)] {
            assert_eq!(class(&call.message.to_request().unwrap()), "operations");
        }
        // What carries nothing, such as the Azure SDK's requests.
        assert_eq!(class(&Request::default()), "");
    }

    #[test]
    fn a_call_says_itself_what_it_counts_against_where_the_path_does_not() {
        let call = Call::<()>::new("spark.run", Effect::Once, Method::POST, "/spark/run");
        assert_eq!(call.quota(), Quota::Platform);
        let call = call.counted_as(Quota::Jobs);
        assert_eq!(class(&call.message.to_request().unwrap()), "jobs");
        let call = call.counted_as(Quota::Platform);
        assert_eq!(class(&call.message.to_request().unwrap()), "");
    }
}
