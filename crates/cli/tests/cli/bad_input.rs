//! Bad input: exit code 2, a message that says where, and nothing is written.

use std::fs;

use crate::{program::run, project::Project, tenant::Tenant};

/// What is wrong, as a change of a project that is right.
type Mistake = fn(&Project);

const CAPACITY: &str = "11111111-1111-4111-8111-111111111111";

/// `api.fabric.microsoft.com` is how it begins, not where it is.
#[test]
fn a_host_that_is_not_the_services_is_refused_before_a_token_is_asked_for() {
    let tenant = Tenant::start();
    let look_alike = "https://api.fabric.microsoft.com.evil.example/v1";
    for (variable, host) in [
        ("FABRIC_API_BASE_URL", look_alike),
        ("FABRIC_API_BASE_URL", "https://api.fabric.microsoft.com@evil.example/v1"),
        ("FABRIC_API_BASE_URL", "https://graph.microsoft.com/v1.0"),
        ("GRAPH_API_BASE_URL", "https://graph.microsoft.com.evil.example/v1.0"),
        ("AZURE_LOGIN_BASE_URL", "https://login.microsoftonline.com.evil.example"),
        ("KEY_VAULT_URL", "https://kv.vault.azure.net.evil.example"),
        ("SELVEDGE_ROLLBACK__JOURNAL", "https://contoso.blob.evil.example/journals"),
        ("SELVEDGE_ROLLBACK__JOURNAL", r"https:\\evil.example\journals\f"),
    ] {
        let project = Project::orders();
        let mut command = tenant.selvedge(&project, &["deploy", "--yes"]);
        command.env(variable, host).env("SELVEDGE_SECRETS__AUDIENCE", "https://vault.azure.net");
        let ended = run(&mut command).ends(2, &[&format!("set by {variable} (environment): ")]);
        assert!(!ended.stderr.contains("evil.example"), "{}", ended.stderr);
    }
    // Nor by a file, whatever the file says of whom to trust.
    for (file, text, said) in [
        (
            "selvedge.toml",
            format!("[fabric]\nbase_url = \"{look_alike}\"\n"),
            "fabric.base_url, set by selvedge.toml: no host of Microsoft Fabric",
        ),
        (".env", "SELVEDGE_TRUSTED_HOSTS=evil.example\n".to_owned(), "it is read from the environment alone"),
    ] {
        let project = Project::orders();
        project.write(file, &text);
        let mut command = tenant.selvedge(&project, &["deploy", "--yes"]);
        run(command.env_remove("FABRIC_API_BASE_URL")).ends(2, &[said]);
    }
    assert!(tenant.requests().is_empty());
}

#[test]
fn a_mistake_in_the_product_is_told_with_its_line_before_anything_is_sent() {
    let tenant = Tenant::start();
    for (from, to, said) in [
        ("\"Orders\"", "\"Orders", &["product_config.yaml:5:19: "][..]),
        ("product:\n", "product: [\n", &["product_config.yaml:3:1: "]),
        (
            "    role: \"Admin\"",
            "    role: \"Admin\"\n    role: \"Admin\"",
            &["product_config.yaml:24:5: ", "role"],
        ),
        (
            "\"Admin\"",
            "\"Boss\"",
            &["product_config.yaml:23:11: users[0].role: ", "\"Boss\"", "use one of Admin, Member"],
        ),
        ("data.owner@contoso.example", "data.owner", &["product_config.yaml:22:12: users[0].email: "]),
        (
            "BRONZE_Orders_Lakehouse",
            "bronze-orders",
            &[
                "product_config.yaml:14:13: items.lakehouses[0].name: ",
                "Suggested fix: 'BRONZE_Orders_Lakehouse'",
            ],
        ),
        ("\"contoso\"", "\"${NOT_SET}\"", &["product_config.yaml:9:17: git.organization: ", "NOT_SET"]),
        (
            "\"contoso\"",
            "\"${AZURE_CLIENT_SECRET}\"",
            &["product_config.yaml:9:17: git.organization: ", "secret"],
        ),
        (
            "\"contoso\"",
            "\"${SYSTEM_ACCESSTOKEN}\"",
            &["product_config.yaml:9:17: git.organization: ", "SYSTEM_ACCESSTOKEN", "secret"],
        ),
        ("\"contoso\"", "\"${OTEL_EXPORTER_OTLP_HEADERS}\"", &["OTEL_EXPORTER_OTLP_HEADERS", "secret"]),
        ("\"contoso\"", "\"${HTTPS_PROXY}\"", &["HTTPS_PROXY", "secret"]),
        (
            CAPACITY,
            "11111111-1111",
            &["product_config.yaml:5:18: environments.dev.capacity_id: ", "is not a GUID"],
        ),
        ("load.py", "absent.py", &["product_config.yaml:20:19: items.notebooks[0].definition: "]),
        (
            "  dev:",
            "  test:",
            &["product_config.yaml:3:1: environments: there is no environment \"dev\"", "choose one of test"],
        ),
        (
            "    capacity_id",
            "    enabled: false\n    capacity_id",
            &["product_config.yaml:5:14: environments.dev.enabled: "],
        ),
    ] {
        let project = Project::orders();
        project.edit(from, to);
        let ended = tenant.safely(&project, &["deploy"]).ends(2, said);
        assert!(ended.stderr.contains("error: make a plan\n"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        assert!(!ended.stderr.contains("emulator-secret"), "{}", ended.stderr);
        assert!(project.journals().is_empty());
        assert_eq!(tenant.requests().len(), 0, "{said:?}");
    }
}

#[test]
fn a_mistake_in_another_file_is_told_before_anything_is_sent() {
    let tenant = Tenant::start();
    let cases: [(Mistake, &[&str]); 10] = [
        (
            |project| {
                project.write(
                    "config/principals/orders_dev_principals.txt",
                    "# comment\neeeeeeee-0000-4000-8000-000000000001,Boss,Team,Group\n",
                )
            },
            &["orders_dev_principals.txt:2: role: ", "\"Boss\""],
        ),
        (
            |project| {
                project.write("config/principals/orders_dev_principals.txt", "team,Viewer,Team,Group\n")
            },
            &["orders_dev_principals.txt:1: principal_id: ", "is not a GUID"],
        ),
        (
            |project| project.write("project.config.json", "{\n  \"project\": {\n"),
            &["project.config.json:3:", "is not JSON"],
        ),
        (
            |project| {
                project.write("project.config.json", "{\n\"project\": {\"prefix\": \"acme\"},\n\"naming_patterns\": {\"workspace\": \"{name}-{enviroment}\"}}")
            },
            &["project.config.json:3:", "naming_patterns.workspace: ", "did you mean {environment}?"],
        ),
        (
            |project| {
                project.write("naming_standards.yaml", "item_types:\n  Lakehouse: { pattern: \"(\" }\n")
            },
            &["naming_standards.yaml:2:"],
        ),
        (
            |project| project.write("naming_standards.yaml", "# nothing yet\n"),
            &["naming_standards.yaml: is empty"],
        ),
        (|project| project.write("product_config.yaml", ""), &["product_config.yaml: is empty"]),
        (
            |project| project.write("product_config.yaml", &billion_laughs()),
            &["product_config.yaml:6:10: ", "too large"],
        ),
        (
            |project| fs::create_dir(project.path().join(".env")).unwrap(),
            &[".env is a directory, not a file"],
        ),
        (
            |project| fs::remove_file(project.path().join("product_config.yaml")).unwrap(),
            &["there is no configuration: looked for", "product_config.yaml", "help: name the file"],
        ),
    ];
    for (mistake, said) in cases {
        let project = Project::orders();
        mistake(&project);
        let ended = tenant.safely(&project, &["deploy"]).ends(2, said);
        assert_eq!(ended.stdout, "");
        assert_eq!(tenant.requests().len(), 0, "{said:?}");
    }
}

#[test]
fn the_deployer_does_not_take_its_own_rights_away() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let own = "cccccccc-0000-4000-8000-00000000000f,Viewer,CI,ServicePrincipal\n";
    project.write("config/principals/orders_dev_principals.txt", own);
    let said =
        ["orders_dev_principals.txt:1: ", "is the application that deploys; as Viewer it could not go on"];
    for _ in 0..2 {
        tenant.safely(&project, &["deploy", "--yes"]).ends(2, &said);
        assert_eq!(tenant.writes(), [""; 0]);
        // Nor where the workspace is there already.
        project.write("config/principals/orders_dev_principals.txt", "");
        tenant.plainly(&project, &["deploy"]).is(0);
        tenant.forget_requests();
        project.write("config/principals/orders_dev_principals.txt", own);
    }
}

#[cfg(unix)]
#[test]
fn a_link_does_not_publish_what_it_leads_to() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    project.write(".env", "GITHUB_TOKEN=a-token\n");
    fs::remove_file(project.path().join("load.py")).unwrap();
    std::os::unix::fs::symlink(project.path().join(".env"), project.path().join("load.py")).unwrap();
    let said = ["product_config.yaml:20:19: items.notebooks[0].definition: ", "symbolic link"];
    tenant.safely(&project, &["deploy"]).ends(2, &said);
    assert_eq!(tenant.requests().len(), 0);
}

/// Ten levels of ten aliases each.
fn billion_laughs() -> String {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    text
}

#[test]
fn what_can_be_known_by_asking_only_is_asked_and_not_written() {
    let tenant = Tenant::start();
    for (from, to, said) in [
        (
            "data.owner@",
            "nobody@",
            &["product_config.yaml:22:12: users[0].email: there is no User `nobody@contoso.example`"][..],
        ),
        (
            "data.owner@",
            "twins@",
            &[
                "product_config.yaml:22:12: users[0].email: `twins@contoso.example` is the User of 2: ",
                "give the object id",
            ],
        ),
        (
            CAPACITY,
            "22222222-2222-4222-8222-222222222222",
            &["product_config.yaml:5:18: environments.dev.capacity_id: ", "is paused"],
        ),
        (
            CAPACITY,
            "22222222-2222-4222-8222-222222222223",
            &["product_config.yaml:5:18: environments.dev.capacity_id: ", "is not among those"],
        ),
    ] {
        let project = Project::orders();
        project.edit(from, to);
        for args in [&["deploy"][..], &["deploy", "--dry-run"], &["plan"]] {
            let ended = tenant.safely(&project, args).ends(2, said);
            assert_eq!(ended.stdout, "");
            assert_eq!(tenant.writes(), [""; 0], "{said:?}");
        }
    }
    assert!(!tenant.requests().is_empty());
}

#[test]
fn what_is_asked_for_wrongly_is_refused_before_anything_is_sent() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for (args, variables, said) in [
        (&["deploy", "absent.yaml"][..], &[][..], &["absent.yaml: there is no such file"][..]),
        (&["deploy", "."], &[], &["is not a file"]),
        (&["deploy", "--env", "qa"], &[], &["possible values: dev, test, prod"]),
        (
            &["deploy", "--env", "prod"],
            &[],
            &["product_config.yaml:3:1: environments: there is no environment \"prod\""],
        ),
        (&["deploy", "--inject", "POST *=503"], &[], &["--local"]),
        (&["deploy", "--local", "--inject", "POST *"], &[], &["understand --inject 'POST *'", "for example"]),
        (
            &["deploy"],
            &[("FEATURE_USE_KEY_VAULT", "true")],
            &["open Key Vault", "KEY_VAULT_URL not set but FEATURE_USE_KEY_VAULT=true"],
        ),
        (
            &["deploy", "--dry-run"],
            &[("HARDENING_STAGE", "target")],
            &[
                "error: keep to the stage `target`",
                "FEATURE_USE_KEY_VAULT is off, and is required",
                "FEATURE_USE_TELEMETRY is off, and is required",
                "FEATURE_USE_HEALTH_CHECKS is off, and is required",
                "HARDENING_STAGE=intermediate",
            ],
        ),
        (
            &["plan"],
            &[("HARDENING_STAGE", "target"), ("FEATURE_USE_KEY_VAULT", "true")],
            &["KEY_VAULT_URL is not set", "FEATURE_USE_HEALTH_CHECKS is off"],
        ),
        (
            &["deploy"],
            &[("GRAPH_API_BASE_URL", "http://graph.example/v1.0")],
            &["graph.base_url, set by GRAPH_API_BASE_URL"],
        ),
        (&["deploy"], &[("SELVEDGE_ROLLBACK__JOURNAL_DIR", "load.py/journals")], &["rollback.journal_dir"]),
    ] {
        let mut command = tenant.safe(&project, args);
        command.env_remove("KEY_VAULT_URL").envs(variables.iter().copied());
        let ended = run(&mut command).ends(2, said);
        assert_eq!(ended.stdout, "");
        assert_eq!(tenant.writes(), [""; 0], "{said:?}");
        let journal = variables.iter().any(|(name, _)| name.contains("JOURNAL"));
        assert!(journal || tenant.requests().is_empty(), "{args:?} {said:?}");
    }
}
