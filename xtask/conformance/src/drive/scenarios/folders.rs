//! Folders of a workspace.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("folders: made, read, renamed, moved, deleted", lifecycle),
        scenario("folders: refused", refused),
        scenario("folders: depth", depth),
    ]
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let all = format!("{}/folders", workspace(session)?);
    let outer = id(&session.post(&all, json!({"displayName": "Outer"}))?)?;
    let inner = id(&session.post(&all, json!({"displayName": "Inner", "parentFolderId": outer}))?)?;
    let one = format!("{all}/{inner}");
    let listed = session.list(&all)?;
    check(listed.len() == 2, "both folders are listed", &json!(listed))?;
    let top = session.list(&format!("{all}?recursive=false"))?;
    check(top.len() == 1, "one folder is at the root", &json!(top))?;
    session.list(&format!("{all}?rootFolderId={outer}&recursive=true"))?;
    session.get(&one)?;
    session.patch(&one, json!({"displayName": "Renamed"}))?;
    let moved = session.post(&format!("{one}/move"), json!({}))?;
    check(moved.get("parentFolderId").is_none(), "the folder is at the root", &moved)?;
    session.post(&format!("{one}/move"), json!({"targetFolderId": outer}))?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "FolderNotFound")
}

fn refused(session: &mut Session<'_>) -> Step {
    let all = format!("{}/folders", workspace(session)?);
    let outer = id(&session.post(&all, json!({"displayName": "Outer"}))?)?;
    let inner = id(&session.post(&all, json!({"displayName": "Inner", "parentFolderId": outer}))?)?;
    session.post(&all, json!({"displayName": "Inner"}))?;
    let (outer_path, inner_path) = (format!("{all}/{outer}"), format!("{all}/{inner}"));
    let cases = [
        ("POST", all.clone(), json!({"displayName": "outer"}), "FolderDisplayNameAlreadyInUse"),
        ("POST", all.clone(), json!({"displayName": "a/b"}), "InvalidFolderDisplayName"),
        ("POST", all.clone(), json!({"displayName": "a", "parentFolderId": NOBODY}), "FolderNotFound"),
        ("GET", format!("{all}?rootFolderId={NOBODY}"), NOTHING, "FolderNotFound"),
        ("GET", format!("{all}/{NOBODY}"), NOTHING, "FolderNotFound"),
        ("PATCH", outer_path.clone(), json!({"displayName": "Inner"}), "FolderDisplayNameAlreadyInUse"),
        ("PATCH", outer_path.clone(), json!({"displayName": "a*b"}), "InvalidFolderDisplayName"),
        ("PATCH", format!("{all}/{NOBODY}"), json!({"displayName": "a"}), "FolderNotFound"),
        (
            "POST",
            format!("{outer_path}/move"),
            json!({"targetFolderId": inner}),
            "InfiniteFolderHierarchyLoop",
        ),
        ("POST", format!("{inner_path}/move"), json!({}), "FolderDisplayNameAlreadyInUse"),
        ("POST", format!("{inner_path}/move"), json!({"targetFolderId": NOBODY}), "FolderNotFound"),
        ("DELETE", outer_path, NOTHING, "FolderNotEmpty"),
        ("DELETE", format!("{all}/{NOBODY}"), NOTHING, "FolderNotFound"),
    ];
    for (method, target, body, code) in cases {
        session.refused(method, &target, body, code)?;
    }
    Ok(())
}

fn depth(session: &mut Session<'_>) -> Step {
    let all = format!("{}/folders", workspace(session)?);
    let mut parent = id(&session.post(&all, json!({"displayName": "1"}))?)?;
    for level in 2..=10 {
        let body = json!({"displayName": level.to_string(), "parentFolderId": parent});
        parent = id(&session.post(&all, body)?)?;
    }
    let another = id(&session.post(&all, json!({"displayName": "Another"}))?)?;
    let body = json!({"displayName": "11", "parentFolderId": parent});
    session.refused("POST", &all, body, "FolderDepthOutOfRange")?;
    let target = json!({"targetFolderId": parent});
    session.refused("POST", &format!("{all}/{another}/move"), target, "FolderDepthOutOfRange")
}
