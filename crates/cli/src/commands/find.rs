//! What a word on the command line stands for: an id, a name or a path. Nothing is guessed.

use anyhow::{Context as _, anyhow};
use selvedge_deployment::config::suggest;
use selvedge_deployment::live::LiveFolder;
use selvedge_deployment::read;
use selvedge_fabric_client::items::{self, Item, ItemType};
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{Client, Error, FolderId, WorkspaceId, folders};

use crate::commands::deploy::prepare::not_read;
use crate::exit;
use crate::report::ExitWith;

/// A read has failed.
pub(crate) fn unread(error: Error) -> anyhow::Error {
    let with = not_read(&error);
    anyhow::Error::from(error).context(with)
}

/// All workspaces that this identity sees.
pub(crate) async fn workspaces(fabric: &Client) -> anyhow::Result<Vec<Workspace>> {
    fabric.list_all(workspaces::list()).await.map_err(unread)
}

/// The workspace of this id or name.
pub(crate) async fn workspace(fabric: &Client, word: &str) -> anyhow::Result<Workspace> {
    workspace_among(&workspaces(fabric).await?, word)
}

/// The one of this id or name among them.
pub(crate) fn workspace_among(all: &[Workspace], word: &str) -> anyhow::Result<Workspace> {
    let id = word.parse::<WorkspaceId>().ok();
    let is_it = |one: &&Workspace| match id {
        Some(id) => one.id == id,
        None => one.display_name.to_lowercase() == word.to_lowercase(),
    };
    let found: Vec<_> = all.iter().filter(is_it).collect();
    match &*found {
        [one] => return Ok((*one).clone()),
        [] => {}
        // Names are unique, but for those of personal workspaces.
        several => {
            let ids: Vec<_> = several.iter().map(|one| one.id.to_string()).collect();
            let problem = format!("'{word}' is the name of several workspaces");
            return missing(&problem, format!("give one of {}", ids.join(", ")));
        }
    }
    let near = suggest::nearest(word, all.iter().map(|one| &*one.display_name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `selvedge workspaces list`".to_owned(),
    };
    missing(&format!("Workspace '{word}' not found, or this identity does not see it"), help)
}

/// The workspace, and what is left of the word: without the option, the word is a path that begins with the workspace's name.
pub(crate) async fn within<'w>(
    fabric: &Client,
    option: Option<&str>,
    word: Option<&'w str>,
) -> anyhow::Result<(Workspace, Option<&'w str>)> {
    if let Some(named) = option {
        return Ok((workspace(fabric, named).await?, word));
    }
    match word.and_then(|word| word.split_once('/')) {
        Some((named, rest)) => Ok((workspace(fabric, named).await?, Some(rest))),
        None => Err(no_workspace()),
    }
}

/// Nothing says which workspace it is about. No variable does either: what others have set is not what was meant.
pub(crate) fn no_workspace() -> anyhow::Error {
    let help = "add --workspace NAME, or begin the path with it: Workspace/Folder/Item.Type";
    anyhow!("no workspace is named").context(ExitWith::usage("find the workspace").help(help))
}

/// All items of a workspace.
pub(crate) async fn items(fabric: &Client, workspace: WorkspaceId) -> anyhow::Result<Vec<Item>> {
    fabric.list_all(items::list(workspace)).await.map_err(unread)
}

/// All folders of a workspace, with their paths.
pub(crate) async fn folders(fabric: &Client, workspace: WorkspaceId) -> anyhow::Result<Vec<LiveFolder>> {
    Ok(read::paths(fabric.list_all(folders::list(workspace)).await.map_err(unread)?))
}

/// The item of this id, name, `Name.Type` or `Folder/Name.Type`.
pub(crate) async fn item(
    fabric: &Client,
    workspace: &Workspace,
    word: &str,
    kind: Option<&str>,
) -> anyhow::Result<Item> {
    let all = items(fabric, workspace.id).await?;
    // Names may hold a slash. Folders are asked for where none does.
    let folders = match word.contains('/') && matching(&all, word, kind).is_empty() {
        true => folders(fabric, workspace.id).await?,
        false => Vec::new(),
    };
    select(&all, &folders, word, kind).cloned().map_err(Miss::into_error)
}

/// The folder of this id, path or name.
pub(crate) fn folder<'f>(all: &'f [LiveFolder], word: &str) -> anyhow::Result<&'f LiveFolder> {
    select_folder(all, word).map_err(Miss::into_error)
}

/// Why a word stands for nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Miss {
    problem: String,
    help: String,
}

impl Miss {
    pub(crate) fn into_error(self) -> anyhow::Error {
        anyhow!("{}", self.problem)
            .context(ExitWith::new(exit::FAILED, "find what was named").help(self.help))
    }

    /// Several of them as one, where there are any. The help is the first one's that says what was meant.
    pub(crate) fn all(misses: Vec<Self>) -> Option<Self> {
        let problems: Vec<_> = misses.iter().map(|miss| miss.problem.clone()).collect();
        let is_near = |miss: &&Self| miss.help.starts_with("did you mean");
        let help = misses.iter().find(is_near).or(misses.first())?.help.clone();
        Some(Self { problem: problems.join("\n"), help })
    }

    /// Several have the name.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.problem.contains(SEVERAL)
    }
}

const SEVERAL: &str = "stands for several";

/// The one of `all` that the word stands for.
pub(crate) fn select<'i>(
    all: &'i [Item],
    folders: &[LiveFolder],
    word: &str,
    kind: Option<&str>,
) -> Result<&'i Item, Miss> {
    let mut found = matching(all, word, kind);
    if found.is_empty()
        && let Some((path, name)) = word.rsplit_once('/')
    {
        let folder = at_path(folders, path).map(|folder| folder.id);
        let inside: Vec<Item> =
            all.iter().filter(|item| folder.is_some() && item.folder_id == folder).cloned().collect();
        let ids: Vec<_> = matching(&inside, name, kind).iter().map(|item| item.id).collect();
        found = all.iter().filter(|item| ids.contains(&item.id)).collect();
    }
    match &*found {
        [one] => Ok(one),
        [] => {
            let of_kind = all.iter().filter(|item| is_of(item, kind));
            let near = suggest::nearest(word, of_kind.map(|item| &*item.display_name));
            let kind = kind.map_or("Item", |kind| kind);
            Err(Miss {
                problem: format!("{kind} '{word}' not found in the workspace"),
                help: near.map_or_else(
                    || "see `selvedge items list`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            })
        }
        several => {
            let listed =
                several.iter().map(|item| format!("{} {} ({})", item.kind, item.display_name, item.id));
            Err(Miss {
                problem: format!("'{word}' {SEVERAL}: {}", listed.collect::<Vec<_>>().join(", ")),
                help: "give the id, or add --type".to_owned(),
            })
        }
    }
}

/// Those that have the id, or the name, or the name with the type behind it. The SQL endpoint that the service makes beside a store has the
/// store's name, and is meant where its type is said.
fn matching<'i>(all: &'i [Item], word: &str, kind: Option<&str>) -> Vec<&'i Item> {
    if let Ok(id) = word.parse() {
        return all.iter().filter(|item| item.id == id && is_of(item, kind)).collect();
    }
    let named = |name: &str, kind: Option<&str>| -> Vec<&'i Item> {
        let lower = name.to_lowercase();
        let is_it = |item: &&Item| item.display_name.to_lowercase() == lower && is_of(item, kind);
        let found: Vec<_> = all.iter().filter(is_it).collect();
        let own: Vec<_> = found.iter().filter(|item| item.kind != ItemType::SQL_ENDPOINT).copied().collect();
        if own.is_empty() { found } else { own }
    };
    let found = named(word, kind);
    match word.rsplit_once('.') {
        Some((name, suffix))
            if found.is_empty() && kind.is_none_or(|kind| kind.eq_ignore_ascii_case(suffix)) =>
        {
            named(name, Some(suffix))
        }
        _ => found,
    }
}

fn is_of(item: &Item, kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| item.kind.as_str().eq_ignore_ascii_case(kind))
}

fn at_path<'f>(all: &'f [LiveFolder], path: &str) -> Option<&'f LiveFolder> {
    let path = path.trim_matches('/').to_lowercase();
    all.iter().find(|folder| folder.path.to_lowercase() == path)
}

fn select_folder<'f>(all: &'f [LiveFolder], word: &str) -> Result<&'f LiveFolder, Miss> {
    let id = word.parse::<FolderId>().ok();
    if let Some(found) = all.iter().find(|folder| Some(folder.id) == id) {
        return Ok(found);
    }
    if let Some(found) = at_path(all, word) {
        return Ok(found);
    }
    let lower = word.to_lowercase();
    let found: Vec<_> = all.iter().filter(|folder| name_of(&folder.path).to_lowercase() == lower).collect();
    match &*found {
        [one] => Ok(one),
        [] => {
            let names = all.iter().flat_map(|folder| [&*folder.path, name_of(&folder.path)]);
            let help = match suggest::nearest(word, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "see `selvedge folders tree`".to_owned(),
            };
            Err(Miss { problem: format!("Folder '{word}' not found in the workspace"), help })
        }
        several => {
            let listed = several.iter().map(|folder| format!("{} ({})", folder.path, folder.id));
            Err(Miss {
                problem: format!("'{word}' {SEVERAL}: {}", listed.collect::<Vec<_>>().join(", ")),
                help: "give the whole path, or the id".to_owned(),
            })
        }
    }
}

/// The last name of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(crate) fn missing<T>(problem: &str, help: String) -> anyhow::Result<T> {
    Err(anyhow!("{problem}")).context(ExitWith::new(exit::FAILED, "find what was named").help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_fabric_client::ItemId;
    use uuid::Uuid;

    fn items() -> Vec<Item> {
        let of = |(id, kind, name, folder): (u128, &str, &str, Option<u128>)| Item {
            id: ItemId(Uuid::from_u128(id)),
            kind: ItemType::from(kind),
            display_name: name.to_owned(),
            description: None,
            workspace_id: None,
            folder_id: folder.map(|id| FolderId(Uuid::from_u128(id))),
        };
        [
            (1, "Lakehouse", "Sales", None),
            (2, "SQLEndpoint", "Sales", None),
            (3, "Notebook", "Load", Some(11)),
            (4, "DataPipeline", "Load", Some(12)),
            (5, "Report", "v1.2", None),
            (6, "Notebook", "a/b", None),
        ]
        .map(of)
        .to_vec()
    }

    fn tree() -> Vec<LiveFolder> {
        let of = |(id, path): (u128, &str)| LiveFolder {
            id: FolderId(Uuid::from_u128(id)),
            path: path.to_owned(),
        };
        [(11, "Bronze"), (12, "Bronze/Raw"), (13, "Gold/Raw")].map(of).to_vec()
    }

    #[test]
    fn a_word_stands_for_one_item_or_for_none() {
        let id = Uuid::from_u128(4).to_string();
        for (word, kind, expected) in [
            ("sales", None, Ok(1)),
            ("Sales", Some("sqlendpoint"), Ok(2)),
            ("Sales.SQLEndpoint", None, Ok(2)),
            ("load.notebook", None, Ok(3)),
            ("load.notebook", Some("Notebook"), Ok(3)),
            ("Load", Some("DataPipeline"), Ok(4)),
            ("bronze/raw/Load", None, Ok(4)),
            ("Bronze/Load.Notebook", None, Ok(3)),
            (&*id, None, Ok(4)),
            ("v1.2", None, Ok(5)),
            ("a/b", None, Ok(6)),
            ("Load", None, Err("stands for several")),
            ("Load.Notebook", Some("DataPipeline"), Err("DataPipeline 'Load.Notebook' not found")),
            ("Gold/Load", None, Err("not found")),
            ("Salez", None, Err("not found")),
            (&*id, Some("Notebook"), Err("not found")),
        ] {
            let (all, tree) = (items(), tree());
            let found = select(&all, &tree, word, kind).map(|item| item.id.0.as_u128());
            match (&found, expected) {
                (Ok(id), Ok(expected)) => assert_eq!(*id, expected, "{word}"),
                (Err(miss), Err(problem)) => assert!(miss.problem.contains(problem), "{word}: {miss:?}"),
                _ => panic!("{word}: {found:?}"),
            }
        }
        let (all, tree) = (items(), tree());
        let miss = select(&all, &tree, "Salez", None).unwrap_err();
        assert_eq!((miss.is_ambiguous(), &*miss.help), (false, "did you mean `Sales`?"));
        let miss = select(&all, &tree, "load", None).unwrap_err();
        assert!(miss.is_ambiguous() && miss.problem.contains(&id), "{miss:?}");
    }

    #[test]
    fn a_word_stands_for_one_folder_or_for_none() {
        let tree = tree();
        for (word, expected) in [
            ("bronze", Ok("Bronze")),
            ("/Bronze/Raw/", Ok("Bronze/Raw")),
            ("00000000-0000-0000-0000-00000000000d", Ok("Gold/Raw")),
            ("Raw", Err("stands for several: Bronze/Raw (")),
            ("Bronz", Err("Folder 'Bronz' not found")),
        ] {
            let found = select_folder(&tree, word).map(|folder| &*folder.path);
            match (&found, expected) {
                (Ok(path), Ok(expected)) => assert_eq!(*path, expected),
                (Err(miss), Err(problem)) => assert!(miss.problem.contains(problem), "{miss:?}"),
                _ => panic!("{word}: {found:?}"),
            }
        }
        assert_eq!(select_folder(&tree, "Bronz").unwrap_err().help, "did you mean `Bronze`?");
    }
}
