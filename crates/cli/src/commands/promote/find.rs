//! What the words for a pipeline and its stages stand for. Nothing is guessed.

use anyhow::anyhow;
use selvedge_deployment::config::suggest;
use selvedge_fabric_client::deployment_pipelines::{self as pipelines, Pipeline, Stage};
use selvedge_fabric_client::{Client, PipelineId, StageId, WorkspaceId};

use crate::commands::find::{missing, unread};
use crate::exit;
use crate::report::ExitWith;
use crate::text::one_line;

/// Two stages, one beside the other.
pub(super) struct Row {
    pub(super) from: Place,
    pub(super) to: Place,
    /// Whether it goes as content usually does: to the next stage, not back.
    pub(super) is_forward: bool,
}

/// A stage that has a workspace.
pub(super) struct Place {
    pub(super) id: StageId,
    pub(super) name: String,
    pub(super) workspace: WorkspaceId,
    pub(super) workspace_name: String,
}

/// The pipeline of this id or name. Names are not unique.
pub(super) async fn pipeline(fabric: &Client, word: &str) -> anyhow::Result<Pipeline> {
    let all = fabric.list_all(pipelines::list()).await.map_err(unread)?;
    pipeline_among(all, word)
}

fn pipeline_among(mut all: Vec<Pipeline>, word: &str) -> anyhow::Result<Pipeline> {
    let id = word.parse::<PipelineId>().ok();
    let names: Vec<_> = all.iter().map(named).collect();
    let near = suggest::nearest(word, all.iter().map(|one| &*one.display_name)).map(str::to_owned);
    all.retain(|one| match id {
        Some(id) => one.id == id,
        None => one.display_name.to_lowercase() == word.to_lowercase(),
    });
    if all.len() > 1 {
        let problem = format!("'{}' is the name of several deployment pipelines", one_line(word));
        let ids: Vec<_> = all.iter().map(|one| one.id.to_string()).collect();
        return missing(&problem, format!("give one of {}", ids.join(", ")));
    }
    match all.pop() {
        Some(one) => Ok(one),
        None => {
            let problem = format!(
                "deployment pipeline '{}' not found, or this identity has no role in it",
                one_line(word)
            );
            missing(&problem, there_are("deployment pipelines", near, &names))
        }
    }
}

fn named(one: &Pipeline) -> String {
    format!("{} ({})", one_line(&one.display_name), one.id)
}

/// What there is instead.
fn there_are(what: &str, near: Option<String>, names: &[String]) -> String {
    let near = near.map(|near| format!("did you mean `{}`? ", one_line(&near))).unwrap_or_default();
    match names {
        [] => format!("there are no {what} that this identity sees"),
        names => format!("{near}there are: {}", names.join(", ")),
    }
}

impl Row {
    /// The stages that these words stand for.
    ///
    /// # Errors
    ///
    /// Where there is no such stage, or Fabric copies nothing between the two.
    pub(super) async fn read(
        fabric: &Client,
        pipeline: &Pipeline,
        from: &str,
        to: &str,
    ) -> anyhow::Result<Self> {
        let stages = fabric.list_all(pipelines::stages(pipeline.id)).await.map_err(unread)?;
        Self::among(&stages, from, to)
    }

    fn among(stages: &[Stage], from: &str, to: &str) -> anyhow::Result<Self> {
        let (from, to) = (stage(stages, from)?, stage(stages, to)?);
        let tried = || {
            let names = [from, to].map(|stage| one_line(&stage.display_name));
            format!("promote from {} to {}", names[0], names[1])
        };
        if from.order.abs_diff(to.order) != 1 {
            let problem = match from.id == to.id {
                true => anyhow!("that is one stage, not two"),
                false => anyhow!("the two stages are not next to each other"),
            };
            let help = format!("the stages in their order: {}", in_order(stages).join(", "));
            return Err(problem.context(ExitWith::usage(tried()).help(help)));
        }
        let (from, to, is_forward) =
            (Place::of(from, &tried)?, Place::of(to, &tried)?, from.order < to.order);
        Ok(Self { from, to, is_forward })
    }
}

impl Place {
    fn of(stage: &Stage, tried: &dyn Fn() -> String) -> anyhow::Result<Self> {
        let (id, name) = (stage.id, stage.display_name.clone());
        let Some(workspace) = stage.workspace_id else {
            let problem = anyhow!("no workspace is assigned to stage {}", one_line(&name));
            let help = "assign one to it in the pipeline's page in Fabric";
            return Err(problem.context(ExitWith::new(exit::FAILED, tried()).help(help)));
        };
        let Some(workspace_name) = stage.workspace_name.clone() else {
            let problem =
                anyhow!("this identity has no role in workspace {workspace} of stage {}", one_line(&name));
            let help = "have an Admin of that workspace give it the role Contributor";
            return Err(problem.context(ExitWith::new(exit::DENIED, tried()).help(help)));
        };
        Ok(Self { id, name, workspace, workspace_name })
    }
}

/// The stage of this id, name or place in the row. A name beats a place.
fn stage<'s>(stages: &'s [Stage], word: &str) -> anyhow::Result<&'s Stage> {
    let id = word.parse::<StageId>().ok();
    let lower = word.to_lowercase();
    let found: Vec<_> = stages
        .iter()
        .filter(|stage| Some(stage.id) == id || stage.display_name.to_lowercase() == lower)
        .collect();
    match &*found {
        [one] => return Ok(one),
        [] => {}
        several => {
            let places: Vec<_> = several.iter().map(|stage| stage.order.to_string()).collect();
            let problem = format!("'{}' is the name of several stages", one_line(word));
            return missing(&problem, format!("give one of the places {}", places.join(", ")));
        }
    }
    if let Some(one) = stages.iter().find(|stage| word.parse() == Ok(stage.order)) {
        return Ok(one);
    }
    let near = suggest::nearest(word, stages.iter().map(|stage| &*stage.display_name)).map(str::to_owned);
    let problem = format!("stage '{}' not found in the deployment pipeline", one_line(word));
    missing(&problem, there_are("stages", near, &in_order(stages)))
}

fn in_order(stages: &[Stage]) -> Vec<String> {
    let mut stages: Vec<_> = stages.iter().collect();
    stages.sort_by_key(|stage| stage.order);
    stages.iter().map(|stage| format!("{} {}", stage.order, one_line(&stage.display_name))).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::report;

    fn stages(names: &[&str]) -> Vec<Stage> {
        let of = |(order, name): (u32, &&str)| Stage {
            id: Uuid::from_u128(u128::from(order) + 1).into(),
            order,
            display_name: (*name).to_owned(),
            workspace_id: Some(Uuid::from_u128(9).into()),
            workspace_name: Some("w".to_owned()),
        };
        (0..).zip(names).map(of).collect()
    }

    #[test]
    fn a_stage_is_called_by_its_name_its_place_or_its_id() {
        let stages = stages(&["Development", "Test", "0", "test"]);
        let id = stages[1].id.to_string();
        for (word, expected) in [
            ("development", Ok(0)),
            ("1", Ok(1)),
            ("0", Ok(2)),
            (&*id, Ok(1)),
            ("TEST", Err("give one of the places 1, 3")),
            ("Developmen", Err("did you mean `Development`? there are: 0 Development, 1 Test, 2 0, 3 test")),
            ("4", Err("there are: 0 Development")),
        ] {
            match (stage(&stages, word), expected) {
                (Ok(found), Ok(order)) => assert_eq!(found.order, order, "{word}"),
                (Err(error), Err(help)) => {
                    let told = report::help(&error).unwrap();
                    assert!(told.contains(help), "{word}: {told}");
                    assert_eq!(report::exit_code(&error), exit::FAILED);
                }
                (found, _) => panic!("{word}: {found:?}"),
            }
        }
    }

    #[test]
    fn items_go_from_one_stage_to_the_one_beside_it() {
        let mut stages = stages(&["Dev", "Test", "Prod"]);
        assert!(Row::among(&stages, "dev", "test").unwrap().is_forward);
        assert!(!Row::among(&stages, "2", "test").unwrap().is_forward);
        let refused = |stages: &[Stage], from, to| {
            let error = Row::among(stages, from, to).err().unwrap();
            (report::exit_code(&error), report::causes(&error))
        };
        for (from, to, said) in [("dev", "0", "one stage"), ("dev", "prod", "not next to each other")] {
            let (code, causes) = refused(&stages, from, to);
            assert!(code == exit::USAGE && causes.contains(said), "{code} {causes}");
        }
        stages[1].workspace_name = None;
        assert_eq!(refused(&stages, "dev", "test").0, exit::DENIED);
        stages[1].workspace_id = None;
        let (code, causes) = refused(&stages, "dev", "test");
        assert!(
            code == exit::FAILED && causes.contains("no workspace is assigned to stage Test"),
            "{causes}"
        );
    }

    #[test]
    fn a_name_of_several_pipelines_is_none() {
        let of = |(id, name): (u128, &str)| Pipeline {
            id: Uuid::from_u128(id).into(),
            display_name: name.to_owned(),
            description: None,
        };
        let all = || [(1, "Sales"), (2, "sales"), (3, "Stock")].map(of).to_vec();
        assert_eq!(pipeline_among(all(), "STOCK").unwrap().id.0.as_u128(), 3);
        let id = all()[1].id.to_string();
        assert_eq!(pipeline_among(all(), &id).unwrap().id.0.as_u128(), 2);
        let error = pipeline_among(all(), "Sales").unwrap_err();
        assert!(report::help(&error).unwrap().contains(&id), "{error:?}");
        let error = pipeline_among(all(), "Stok").unwrap_err();
        let help = report::help(&error).unwrap();
        assert!(help.starts_with("did you mean `Stock`? there are: Sales (0000"), "{help}");
        let error = pipeline_among(Vec::new(), "Stock").unwrap_err();
        assert_eq!(report::help(&error), Some("there are no deployment pipelines that this identity sees"));
    }
}
