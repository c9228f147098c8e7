//! Every key that the files may have, one mapping after the other.
//!
//! The predecessor's files load unchanged, so keys that it knew and that change nothing here are listed too: they are
//! reported, and not taken for slips.

/// The keys of one mapping, separated by white space.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    /// Those that say something, be it to the reader only.
    pub(super) known: &'a str,
    /// Those that change nothing.
    pub(super) idle: &'a str,
}

impl<'a> Keys<'a> {
    pub(super) const fn of(known: &'a str) -> Self {
        Self { known, idle: "" }
    }

    pub(super) const fn idle(self, idle: &'a str) -> Self {
        Self { idle, ..self }
    }
}

// ===== the product's file =====

pub(super) const ROOT: Keys<'_> =
    Keys::of("product environments git workspace items users naming folder_structure")
        .idle("audit deployment features intelligent_placement scenarios automation scaffold");
pub(super) const PRODUCT: Keys<'_> = Keys::of("name slug description owner_email technical_lead domain team");
pub(super) const ENVIRONMENT: Keys<'_> =
    Keys::of("enabled capacity_id description create_folders folder_structure use_medallion_architecture")
        .idle("capacity capacity_type auto_deploy requires_approval");
pub(super) const WORKSPACE: Keys<'_> =
    Keys::of("create_items validate_naming description_template").idle("name_prefix");
pub(super) const GIT: Keys<'_> =
    Keys::of("enabled provider organization project repository branch directory auto_connect auto_commit")
        .idle("max_retries feature_prefix");
pub(super) const NAMING: Keys<'_> = Keys::of("validate strict_mode").idle("auto_fix");
pub(super) const ITEM: Keys<'_> = Keys::of("name description target_folder folder definition language");
pub(super) const RESOURCE: Keys<'_> =
    Keys::of("type name description target_folder folder definition language");
pub(super) const USER: Keys<'_> = Keys::of("email name id role principal_type description");
pub(super) const TEMPLATE: Keys<'_> = Keys::of("enabled template medallion").idle("organization");
pub(super) const MEDALLION: Keys<'_> = Keys::of("layers shared_folders");
pub(super) const FOLDER: Keys<'_> = Keys::of("name description subfolders").idle("naming_pattern");

// ===== a data product's descriptor =====

pub(super) const DESCRIPTOR: Keys<'_> = Keys::of("product environments git automation").idle("scaffold");
pub(super) const DESCRIBED_ENVIRONMENT: Keys<'_> =
    Keys::of("enabled capacity capacity_id description").idle("capacity_type auto_deploy requires_approval");
pub(super) const DESCRIBED_GIT: Keys<'_> =
    Keys::of("enabled provider organization project repository directory default_branch feature_prefix")
        .idle("auto_commit branch auto_connect");
pub(super) const AUTOMATION: Keys<'_> = Keys::of("audit_reference").idle("create_default_items");

// ===== project.config.json, which other tools read too =====

pub(super) const PROJECT_ROOT: Keys<'_> = Keys::of(
    "project naming_patterns environments git_integration github azure contacts purview products metadata",
);
pub(super) const PROJECT: Keys<'_> = Keys::of("name prefix description organization");
pub(super) const GIT_INTEGRATION: Keys<'_> = Keys::of(
    "enabled provider organization project repository auto_connect_workspaces auto_commit_on_creation \
     default_branch feature_branch_pattern workspace_directory_pattern commit_message_template sync_settings",
);

// ===== naming_standards.yaml =====

pub(super) const STANDARDS: Keys<'_> = Keys::of(
    "version description global_rules item_types ticket_based_naming environment_suffixes validation exemptions",
)
.idle("reporting");
pub(super) const GLOBAL_RULES: Keys<'_> = Keys::of(
    "max_length allowed_characters case_sensitive no_leading_numbers no_special_chars_start reserved_words",
);
pub(super) const TYPE_RULE: Keys<'_> =
    Keys::of("description pattern examples rules recommended_prefixes recommended_sequences");
pub(super) const TICKETS: Keys<'_> = Keys::of("enabled description pattern examples rules ticket_systems");
pub(super) const VALIDATION: Keys<'_> =
    Keys::of("strict_mode warn_on_deviation auto_fix_suggestions").idle("log_violations");
/// Ids are not known before the deployment.
pub(super) const EXEMPTIONS: Keys<'_> =
    Keys::of("allow_legacy_names").idle("exempt_item_ids exempt_workspaces");
