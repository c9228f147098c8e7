//! What mends that there is no access token.

use super::Choice;
use super::error::{Answer, IdentityError, Problem};

impl IdentityError {
    /// The command that mends it, or what else to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self.problem() {
            Problem::Refused { answer: Answer { code: Some(code), .. }, client_id, .. } => {
                return of_code(*code, client_id.as_deref().unwrap_or("CLIENT_ID"));
            }
            Problem::Refused { way, .. } => return of_platform(*way).map(str::to_owned),
            Problem::Missing { way: way @ (Choice::GitHubActions | Choice::AzureDevOps), what }
                if !APPLICATION.contains(what) =>
            {
                return of_platform(*way).map(str::to_owned);
            }
            Problem::Missing { what, .. } => format!("set {what}, in .env or the environment"),
            Problem::TokenFile { .. } => {
                "AZURE_FEDERATED_TOKEN_FILE names the file that the platform keeps this workload's token in; where there is none, sign in another way"
                    .to_owned()
            }
            Problem::Certificate(_) => {
                "AZURE_CLIENT_CERTIFICATE_PATH names a PEM file with the certificate and its RSA key, not encrypted; `openssl pkcs12 -in FILE.pfx -nodes -out FILE.pem` makes one of a .pfx"
                    .to_owned()
            }
            Problem::Nothing(_) => {
                "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET".to_owned()
            }
            _ => return None,
        })
    }
}

/// Which application it is, everybody has to say.
const APPLICATION: [&str; 2] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"];

/// What Entra ID says by a code.
fn of_code(code: u32, id: &str) -> Option<String> {
    Some(match code {
        7_000_215 => format!(
            "give the secret's value, not its id; a new one is made by `az ad app credential reset --id {id} --append`"
        ),
        7_000_222 => format!("make a new one with `az ad app credential reset --id {id} --append`"),
        700_016 | 90_002 | 900_023 => {
            "check AZURE_TENANT_ID and AZURE_CLIENT_ID against `az account show` and `az ad sp show`"
                .to_owned()
        }
        700_211..=700_213 => format!(
            "compare with `az ad app federated-credential list --id {id}`; all three must be the same to the letter, and a new one takes some minutes"
        ),
        700_027 | 50_013 => {
            format!("compare the certificate with `az ad app credential list --id {id} --cert`")
        }
        50_076 | 53_003 => "run `az login`".to_owned(),
        _ => return None,
    })
}

/// What a platform's own token service wants, before Entra ID is asked anything.
fn of_platform(way: Choice) -> Option<&'static str> {
    Some(match way {
        Choice::GitHubActions => {
            "only a job of GitHub Actions with `permissions: id-token: write` gets tokens, until it ends; elsewhere sign in another way"
        }
        Choice::AzureDevOps => {
            "only a job of Azure Pipelines gets tokens, until it ends: its step maps SYSTEM_ACCESSTOKEN from $(System.AccessToken), and AZURESUBSCRIPTION_SERVICE_CONNECTION_ID is a service connection that the pipeline may use"
        }
        Choice::ManagedIdentity => {
            "give this machine the identity, such as by `az vm identity assign`; of several, AZURE_CLIENT_ID names the one"
        }
        _ => return None,
    })
}
