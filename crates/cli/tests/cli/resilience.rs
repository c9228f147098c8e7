//! Retries, breakers and their profiles, from the settings to what arrives.

use crate::{program::run, project::Project, tenant::Tenant};

const RETRY: &str = "FEATURE_USE_RETRY_LOGIC";

/// How often a token was asked for, and nothing else, by a run under these variables where none is to be had.
fn tokens(tenant: &Tenant, project: &Project, variables: &[(&str, &str)]) -> usize {
    tenant.forget_requests();
    run(tenant.selvedge(project, &["plan"]).envs(variables.iter().copied())).is(1);
    let requests = tenant.requests();
    assert!(requests.iter().all(|request| request.shape().ends_with("/token")));
    requests.len()
}

#[test]
fn the_profile_and_what_beats_it_decide_how_often_a_failing_entra_is_asked() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */token=503");
    assert_eq!(tokens(&tenant, &project, &[]), 1, "plainly");
    assert_eq!(tokens(&tenant, &project, &[(RETRY, "true")]), 3, "guide");
    project.write("selvedge.toml", "[resilience]\nprofile = \"robust\"\n");
    assert_eq!(tokens(&tenant, &project, &[(RETRY, "true")]), 6, "robust");
    assert_eq!(tokens(&tenant, &project, &[(RETRY, "true"), ("FABRIC_API_MAX_RETRIES", "4")]), 4);
    assert_eq!(tokens(&tenant, &project, &[]), 1, "no profile turns a flag on");
}

/// As in App Service: the platform's variables say where the token of a managed identity is to be had.
#[test]
fn a_failing_endpoint_of_a_managed_identity_is_asked_as_often_as_the_settings_say() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("GET */msi/token=503");
    let endpoint = format!("{}/msi/token", tenant.url);
    let managed = [
        ("SELVEDGE_ENTRA__CREDENTIAL", "managed-identity"),
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "emulated"),
    ];
    assert_eq!(tokens(&tenant, &project, &managed), 1);
    assert_eq!(tokens(&tenant, &project, &[&managed[..], &[(RETRY, "true")]].concat()), 3);
}

#[test]
fn flags_show_the_profile_in_force() {
    let project = Project::with(&[]);
    let shown = |variables: &[(&str, &str)]| {
        let mut command = crate::program::selvedge(project.path(), &["flags", "--output", "json"]);
        run(command.envs(variables.iter().copied())).is(0).json()["profile"].clone()
    };
    assert_eq!(shown(&[]), "guide");
    assert_eq!(shown(&[("HARDENING_STAGE", "target")]), "robust");
    assert_eq!(shown(&[("SELVEDGE_RESILIENCE__PROFILE", "robust")]), "robust");
}

#[test]
fn an_entra_that_is_away_is_no_wrong_secret() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let plan = |fault: &str| {
        tenant.inject(fault);
        let ended = run(&mut tenant.selvedge(&project, &["plan"]));
        (ended.code, ended.stderr)
    };
    // A fault stays, and the first that fits is taken.
    for (fault, again) in [
        ("POST */token=503,times=1", "later"),
        ("POST */token=reset,times=1", "later"),
        ("POST */token=429,retry-after=300,times=1", "in 300s"),
        ("POST */token=503,retry-after=3600,times=1", "in 600s or later"),
    ] {
        let (code, told) = plan(fault);
        assert_eq!(code, Some(1), "{fault}\n{told}");
        let help = format!(
            "help: the sign-in service is unavailable; nothing was changed; run the command again {again}\n"
        );
        assert!(told.ends_with(&help), "{fault}\n{told}");
        assert_eq!(told.matches("authentication failed").count(), 0, "{told}");
        assert!(!told.contains("\\n") && !told.contains("AZURE_CLIENT_SECRET"), "{told}");
    }
    let (code, told) = plan("POST */token=401,times=1");
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("AZURE_CLIENT_SECRET"), "{told}");
}
