//! Projects are found again: folders that lost their `.fastest`, or were copied, moved or restored;
//! and two projects or workspaces with the same name.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Copy, sharing};

/// A project `app` in `mine` of store `here`, pushed to a primary that `there` and `third` use too.
fn shared() -> Scene {
    let scene = sharing(&["here", "there", "third"]);
    for name in ["a", "b", "c"] {
        scene.write(format!("mine/{name}"), "1");
    }
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    scene
}

fn json(scene: &Scene, store: &str, dir: &str, words: &str) -> Value {
    let text = scene.text(store, dir, &format!("{words} --json"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words}: {error}: {text}"))
}

fn lose(scene: &Scene, folder: &str) {
    fs::remove_dir_all(scene.path(folder).join(".fastest")).unwrap();
}

fn copy_folder(scene: &Scene, from: &str, to: &str) {
    let copied = Command::new("cp").arg("-a").arg(scene.path(from)).arg(scene.path(to)).status();
    assert!(copied.unwrap().success());
}

fn projects(scene: &Scene, store: &str) -> Vec<String> {
    let list = json(scene, store, "", "project list");
    let name = |project: &Value| project["name"].as_str().unwrap().to_owned();
    list["projects"].as_array().unwrap().iter().map(name).collect()
}

/// Returns the names of the workspaces that a device knows after a pull.
fn workspaces(scene: &Scene, store: &str, dir: &str) -> Vec<String> {
    json(scene, store, dir, "pull");
    let list = json(scene, store, dir, "workspace list");
    let name = |workspace: &Value| workspace["name"].as_str().unwrap().to_owned();
    list["workspaces"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_folder_that_lost_its_state_goes_on_where_it_was() {
    let scene = shared();
    scene.run("there", "", "clone app yours");
    let before = json(&scene, "here", "mine", "status");
    // Any command finds it, in the folder or in one below it.
    fs::create_dir(scene.path("mine/sub")).unwrap();
    for (dir, words) in [("mine", "status"), ("mine/sub", "log"), ("mine", "drift")] {
        lose(&scene, "mine");
        let told = scene.run("here", dir, words);
        assert!(told.contains("had lost its .fastest") && told.contains("app/main"), "{told}");
    }
    lose(&scene, "mine");
    let after = json(&scene, "here", "mine", "status");
    assert!(after["warnings"][0].as_str().unwrap().contains("had lost its .fastest"), "{after}");
    for field in ["project_id", "workspace_id", "snapshot_id"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    lose(&scene, "mine");
    scene.write("mine/a", "2");
    assert!(scene.run("here", "mine", "push").starts_with("exit 0"));
    json(&scene, "there", "yours", "pull");
    assert_eq!(scene.read("yours/a"), "2");
    assert_eq!(projects(&scene, "here"), ["app"]);
}

#[test]
fn a_folder_that_lost_most_files_too_goes_on_if_it_is_the_same_folder() {
    let scene = shared();
    let before = json(&scene, "here", "mine", "status");
    if fs::metadata(scene.path("mine")).unwrap().created().is_err() {
        return; // The file system does not record when a folder was created.
    }
    for file in [".fastest/head", "b", "c"] {
        fs::remove_file(scene.path(format!("mine/{file}"))).unwrap();
    }
    lose(&scene, "mine");
    scene.write("mine/a", "2");
    let pushed = json(&scene, "here", "mine", "push");
    assert_eq!((&pushed["modified"], &pushed["deleted"]), (&1.into(), &2.into()));
    assert_eq!(pushed["project_id"], before["project_id"]);
    let warning = pushed["warnings"][0].as_str().unwrap();
    assert!(warning.contains("2 of its files are gone"), "{warning}");
    // A new folder in its place is not taken for it.
    fs::rename(scene.path("mine"), scene.path("old")).unwrap();
    scene.write("mine/other", "");
    let told = scene.run("here", "mine", "push");
    assert!(told.starts_with("exit 2") && told.contains("1 of 1 files of the last"), "{told}");
}

#[test]
fn what_others_did_is_not_undone_by_a_folder_that_was_found_again() {
    let scene = shared();
    scene.run("there", "", "clone app yours");
    for (file, text) in [("a", "theirs"), ("new", "theirs")] {
        scene.write(format!("yours/{file}"), text);
    }
    fs::remove_file(scene.path("yours/b")).unwrap();
    json(&scene, "there", "yours", "push");
    // One of their changes is pulled before the state is lost, and one is pushed after.
    json(&scene, "here", "mine", "pull yours");
    lose(&scene, "mine");
    scene.write("yours/c", "theirs");
    json(&scene, "there", "yours", "push");
    scene.write("mine/own", "mine");
    json(&scene, "here", "mine", "push");
    json(&scene, "here", "mine", "pull yours");
    json(&scene, "there", "yours", "pull");
    for folder in ["mine", "yours"] {
        for (file, text) in [("a", "theirs"), ("new", "theirs"), ("c", "theirs"), ("own", "mine")] {
            assert_eq!(scene.read(&format!("{folder}/{file}")), text, "{folder}/{file}");
        }
        assert!(!scene.path(format!("{folder}/b")).exists());
    }
}

#[test]
fn a_lost_head_or_a_damaged_state_file_is_found_again() {
    let scene = shared();
    let mine = Copy::new(&scene, "here", "mine");
    let before = mine.run(&["status"]);
    for lost in ["head", "workspace.json"] {
        fs::remove_file(scene.path("mine/.fastest").join(lost)).unwrap();
        scene.write("mine/a", lost);
        let pushed = mine.run(&["push"]);
        assert_eq!(
            (&pushed["project_id"], &pushed["modified"]),
            (&before["project_id"], &1.into())
        );
        assert!(pushed["warnings"][0].as_str().unwrap().contains("had lost"), "{pushed}");
    }
    scene.write("mine/.fastest/workspace.json", "{");
    let told = scene.run("here", "mine", "status");
    assert!(told.starts_with("exit 2") && told.contains("hint: delete that file"), "{told}");
    fs::remove_file(scene.path("mine/.fastest/workspace.json")).unwrap();
    assert_eq!(mine.run(&["status"])["project_id"], before["project_id"]);
}

#[test]
fn a_folder_that_holds_something_else_by_now_is_not_taken_for_what_it_was() {
    let scene = shared();
    let head = Copy::new(&scene, "here", "mine").log();
    fs::remove_dir_all(scene.path("mine")).unwrap();
    scene.write("mine/other", "something else");
    for words in ["push", "status", "snapshot", "pull", "init", "init --name app"] {
        let told = scene.run("here", "mine", words);
        assert!(told.starts_with("exit 2") && told.contains("3 of 3 files of the last"), "{told}");
        assert!(told.contains("fastest clone PROJECT --here"), "{told}");
        assert!(!scene.path("mine/.fastest").exists(), "{words}");
    }
    // A folder in it can become a project of its own.
    scene.write("mine/inner/f", "");
    assert_eq!(json(&scene, "here", "mine/inner", "push")["project"], "inner");
    fs::remove_dir_all(scene.path("mine/inner")).unwrap();
    let joined = json(&scene, "here", "mine", "clone app --here");
    assert_eq!((&joined["files"], &joined["added"]), (&3.into(), &Value::from(vec!["other"])));
    assert_eq!(scene.read("mine/a"), "1");
    assert_eq!(Copy::new(&scene, "here", "mine").log(), head);
    // Or the folder becomes another project, under another name.
    fs::remove_dir_all(scene.path("mine")).unwrap();
    scene.write("mine/other", "something else");
    assert_eq!(json(&scene, "here", "mine", "init --name else")["project"], "else");
    assert_eq!(json(&scene, "here", "mine", "push")["project"], "else");
}

#[test]
fn nothing_makes_a_second_project_silently() {
    let scene = shared();
    // A folder named like the project: on this device, on another one that knows the project, and
    // on one that has to ask the primary.
    scene.run("there", "", "clone app yours");
    for (number, store) in ["here", "there", "third"].into_iter().enumerate() {
        let dir = format!("{number}/app");
        scene.write(format!("{dir}/f"), store);
        let told = scene.run(store, &dir, "push");
        assert!(told.starts_with("exit 2"), "{store}: {told}");
        assert!(told.contains("there is a project named \"app\" already"), "{store}: {told}");
        assert!(told.contains("clone PROJECT --here") && told.contains("init --name"), "{told}");
        assert!(!scene.path(&dir).join(".fastest").exists(), "{store}");
    }
    assert_eq!(projects(&scene, "third"), ["app"]);
    // Both ways out that the message names work.
    assert_eq!(json(&scene, "third", "2/app", "init --name other")["project"], "other");
    assert_eq!(json(&scene, "third", "2/app", "push")["project"], "other");
    json(&scene, "there", "1/app", "clone app --here");
    assert_eq!(json(&scene, "there", "1/app", "push")["project"], "app");
    assert_eq!(projects(&scene, "here"), ["app", "other"]);
}

#[test]
fn a_project_of_a_name_that_the_primary_has_is_not_sent() {
    let scene = shared();
    scene.write("second/f", "1");
    let made = json(&scene, "there", "second", "init --name app");
    let told = scene.run("there", "second", "push");
    assert!(told.starts_with("exit 2") && told.contains("which is another one"), "{told}");
    assert!(told.contains("fastest project rename"), "{told}");
    assert_eq!(json(&scene, "there", "second", "status")["unpushed"], 1, "it is saved here");
    // Nor does another command send it.
    scene.run("there", "", "clone other nowhere");
    assert_eq!(projects(&scene, "third"), ["app"]);
    // Two projects of one name are told apart by their ids.
    let told = scene.run("there", "", "clone app copy");
    let ids: Vec<&str> = vec![made["project_id"].as_str().unwrap()];
    assert!(told.starts_with("exit 2") && ids.iter().all(|id| told.contains(id)), "{told}");
    assert!(told.contains("(on the primary)") && told.contains("second"), "{told}");
    let taken = scene.run("there", "second", &format!("project rename {} app", ids[0]));
    assert!(taken.starts_with("exit 2") && taken.contains("already"), "{taken}");
    assert!(scene.run("there", "", "project rename app mine").starts_with("exit 0"));
    assert_eq!(json(&scene, "there", "second", "push")["pushed"], true);
    assert_eq!(projects(&scene, "third"), ["app", "mine"]);
    scene.run("there", "", "clone app copy");
    assert_eq!(scene.read("copy/a"), "1");
}

#[test]
fn a_folder_with_files_joins_a_project_and_keeps_them() {
    let scene = shared();
    scene.write("mine/deep/er/f", "1");
    scene.write("mine/in/the/way", "1");
    json(&scene, "here", "mine", "push");
    scene.write("yours/a", "mine");
    scene.write("yours/b", "1");
    scene.write("yours/own", "mine");
    scene.write("yours/in", "a file where the project has a folder");
    scene.write("yours/.gitignore", "c\n");
    scene.write("yours/c", "ignored here");
    let told = scene.run("there", "", "-C yours clone app --here --workspace yours");
    assert!(told.starts_with("exit 0") && told.contains("Joined app/yours"), "{told}");
    for (file, text) in
        [("a", "mine"), ("own", "mine"), ("c", "ignored here"), ("deep/er/f", "1"), ("b", "1")]
    {
        assert_eq!(scene.read(&format!("yours/{file}")), text, "{file}");
    }
    assert!(scene.path("yours/in").is_file());
    let status = json(&scene, "there", "yours", "status");
    let list = |field: &str| status[field].as_array().unwrap().clone();
    assert_eq!(list("modified"), ["a"]);
    assert!(list("added").contains(&"own".into()), "{status}");
    let drift = json(&scene, "there", "yours", "drift");
    assert_eq!(drift["source"], "main");
    assert_eq!(json(&scene, "there", "yours", "push")["pushed"], true);
    json(&scene, "here", "mine", "pull yours");
    assert_eq!(scene.read("mine/a") + &scene.read("mine/own"), "minemine");
    assert_eq!(scene.read("mine/deep/er/f"), "1");
    // A folder that is in a project already is refused, and so is one that does not exist.
    let again = scene.run("there", "yours", "clone app --here");
    assert!(again.starts_with("exit 2") && again.contains("project already"), "{again}");
    assert!(scene.run("there", "", "clone app gone --here").starts_with("exit 2"));
    // An empty folder gets all files.
    fs::create_dir(scene.path("empty")).unwrap();
    assert_eq!(json(&scene, "there", "", "clone app empty --here")["files"], 5);
    assert_eq!(json(&scene, "there", "empty", "status")["dirty"], false);
}

#[test]
fn a_folder_of_a_store_that_is_gone_joins_its_project_again() {
    let scene = shared();
    fs::remove_dir_all(scene.path("here")).unwrap();
    scene.run("here", "", &format!("remote set file://{}", scene.path("primary.db").display()));
    scene.write("mine/a", "unsaved");
    let told = scene.run("here", "mine", "push");
    assert!(told.starts_with("exit 2") && told.contains("fastest clone PROJECT --here"), "{told}");
    let joined = json(&scene, "here", "mine", "clone app --here");
    assert_eq!(joined["modified"], Value::from(vec!["a"]));
    assert_eq!(joined["workspace"], "main");
    assert_eq!(json(&scene, "here", "mine", "push")["modified"], 1);
    assert_eq!(scene.read("mine/a"), "unsaved");
    // A folder of this project cannot join another one.
    scene.write("other/f", "1");
    json(&scene, "there", "other", "push");
    json(&scene, "here", "mine", "pull");
    let told = scene.run("here", "mine", "clone other --here");
    assert!(told.starts_with("exit 2") && told.contains("project already"), "{told}");
}

#[test]
fn a_copied_folder_says_so_and_can_become_a_workspace_of_its_own() {
    let scene = shared();
    scene.write("mine/a", "unsaved");
    copy_folder(&scene, "mine", "copy");
    scene.write("copy/b", "copy");
    for dir in ["copy", "copy", "mine"] {
        let told = scene.run("here", dir, "status");
        assert!(told.contains("are both workspace main"), "{told}");
    }
    // Until one of them becomes another workspace, pushes merge the two.
    json(&scene, "here", "copy", "push");
    scene.write("mine/c", "mine");
    assert_eq!(json(&scene, "here", "mine", "push")["merged"], true);
    assert_eq!(scene.read("mine/b"), "copy");
    scene.write("copy/new", "unsaved");
    let own = json(&scene, "here", "copy", "workspace new own --here");
    assert_eq!((&own["workspace"], &own["announced"]), (&"own".into(), &true.into()));
    let status = json(&scene, "here", "copy", "status");
    assert_eq!(status["warnings"], Value::from(Vec::<Value>::new()));
    assert_eq!(
        (&status["workspace"], &status["added"]),
        (&"own".into(), &Value::from(vec!["new"]))
    );
    assert_eq!(
        json(&scene, "here", "mine", "status")["warnings"],
        Value::from(Vec::<Value>::new())
    );
    json(&scene, "here", "copy", "push");
    json(&scene, "here", "mine", "pull own");
    for (file, text) in [("a", "unsaved"), ("b", "copy"), ("c", "mine"), ("new", "unsaved")] {
        assert_eq!(scene.read(&format!("mine/{file}")), text, "{file}");
    }
    assert!(scene.run("here", "copy", "workspace new main --here").starts_with("exit 2"));
}

#[test]
fn a_folder_that_moved_goes_on_and_one_put_back_undoes_nothing() {
    let scene = shared();
    let before = json(&scene, "here", "mine", "status");
    copy_folder(&scene, "mine", "backup");
    fs::rename(scene.path("mine"), scene.path("moved")).unwrap();
    let after = json(&scene, "here", "moved", "status");
    assert_eq!(
        (&after["workspace_id"], &after["warnings"]),
        (&before["workspace_id"], &before["warnings"])
    );
    let list = json(&scene, "here", "moved", "workspace list");
    assert!(list["workspaces"][0]["path"].as_str().unwrap().ends_with("/moved"), "{list}");
    scene.write("moved/a", "2");
    json(&scene, "here", "moved", "push");
    // The backup replaces the folder.
    fs::remove_dir_all(scene.path("moved")).unwrap();
    fs::rename(scene.path("backup"), scene.path("moved")).unwrap();
    scene.write("moved/b", "2");
    json(&scene, "here", "moved", "push");
    assert_eq!(scene.read("moved/a") + &scene.read("moved/b"), "22");
}

#[test]
fn clones_into_folders_of_one_name_have_names_of_their_own() {
    let scene = shared();
    scene.run("there", "", "clone app one/app");
    let second = json(&scene, "third", "", "clone app two/app");
    assert_eq!((&second["workspace"], &second["announced"]), (&"app-2".into(), &true.into()));
    // Other devices know both before either has pushed.
    let names: BTreeSet<_> = workspaces(&scene, "here", "mine").into_iter().collect();
    assert_eq!(names, ["app", "app-2", "main"].map(String::from).into());
}

#[test]
fn workspaces_of_one_name_are_told_apart_and_renamed() {
    let scene = shared();
    scene.run("there", "", "clone app one/there");
    scene.run("third", "", "clone app two/third");
    scene.write("two/third/f", "third");
    json(&scene, "third", "two/third", "push");
    // Both are renamed while the devices do not know of each other's.
    assert!(scene.run("there", "one/there", "workspace rename there same").starts_with("exit 0"));
    assert!(scene.run("third", "two/third", "workspace rename third same").starts_with("exit 0"));
    json(&scene, "there", "one/there", "push");
    json(&scene, "third", "two/third", "push");
    json(&scene, "here", "mine", "pull");
    let list = json(&scene, "here", "mine", "workspace list");
    let same = list["workspaces"].as_array().unwrap().iter().filter(|w| w["name"] == "same");
    let ids: Vec<&str> = same.map(|w| w["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{list}");
    let text = scene.text("here", "mine", "workspace list");
    let told = scene.run("here", "mine", "pull same");
    assert!(told.starts_with("exit 2") && told.contains("one/there"), "{told}");
    for id in &ids {
        assert!(told.contains(id) && text.contains(id), "{told}\n{text}");
    }
    let named = |id: &str| {
        let workspace = list["workspaces"].as_array().unwrap().iter().find(|w| w["id"] == id);
        workspace.unwrap()["path"].as_str().unwrap().ends_with("two/third")
    };
    let theirs = ids.iter().find(|id| named(id)).unwrap();
    let renamed = scene.run("here", "mine", &format!("workspace rename {theirs} theirs"));
    assert!(renamed.starts_with("exit 0"), "{renamed}");
    assert!(scene.run("here", "mine", "workspace rename same theirs").starts_with("exit 2"));
    json(&scene, "here", "mine", "push");
    json(&scene, "here", "mine", "pull theirs");
    assert_eq!(scene.read("mine/f"), "third");
    json(&scene, "third", "two/third", "pull");
    assert_eq!(json(&scene, "third", "two/third", "status")["workspace"], "theirs");
    // By name and machine; all devices of this test have the same machine.
    let machine = list["workspaces"][0]["machine"].as_str().unwrap();
    assert_eq!(json(&scene, "here", "mine", &format!("pull theirs@{machine}"))["from"], "theirs");
}

#[test]
fn a_pull_that_finds_nothing_says_who_is_ahead() {
    let scene = shared();
    scene.run("there", "", "clone app yours");
    assert_eq!(json(&scene, "here", "mine", "pull")["ahead"], Value::from(Vec::<Value>::new()));
    scene.write("yours/new", "");
    json(&scene, "there", "yours", "push");
    let told = scene.run("here", "mine", "pull");
    assert!(
        told.contains("workspace yours has 1 snapshot") && told.contains("pull yours"),
        "{told}"
    );
    let pulled = json(&scene, "here", "mine", "pull main");
    assert_eq!(pulled["ahead"][0]["workspace"], "yours");
    json(&scene, "here", "mine", "pull yours");
    assert_eq!(json(&scene, "here", "mine", "pull")["ahead"], Value::from(Vec::<Value>::new()));
}

#[test]
fn a_workspace_that_others_do_not_see_yet_says_so() {
    let scene = shared();
    let away = scene.path("away");
    fs::rename(scene.path("primary.db"), &away).unwrap();
    let told = scene.run("here", "mine", "workspace new fix ../fix");
    assert!(
        told.starts_with("exit 0") && told.contains("others do not see workspace fix"),
        "{told}"
    );
    fs::rename(&away, scene.path("primary.db")).unwrap();
    // Snapshots that were not pushed stay here, and so does a workspace that is based on them.
    scene.write("mine/a", "unpushed");
    json(&scene, "here", "mine", "snapshot");
    let told = scene.run("here", "mine", "workspace new wip ../wip");
    assert!(told.contains("others see workspace wip after its first `fastest push`"), "{told}");
    scene.run("there", "", "clone app yours");
    assert_eq!(json(&scene, "there", "yours", "log")["snapshots"].as_array().unwrap().len(), 1);
}

#[test]
fn working_copies_of_an_older_version_are_known_from_the_first_command_on() {
    let scene = shared();
    let head = Copy::new(&scene, "here", "mine").log();
    let older = || {
        let rows = rusqlite::Connection::open(scene.path("here/replica.db")).unwrap();
        rows.execute_batch(
            "DROP TRIGGER fastest_local_child_add; DROP TRIGGER fastest_local_child_drop;
             DROP TABLE fastest_local_child; DROP INDEX fastest_local_snapshot_random;
             DROP TABLE fastest_local_operation; DROP TABLE fastest_local_preview; DROP TABLE fastest_local_copy; DROP TABLE fastest_local_held;
             DROP TABLE fastest_local_refused; DROP INDEX fastest_local_outbox_joined;
             ALTER TABLE fastest_local_outbox DROP COLUMN joined;
             ALTER TABLE fastest_local_remote DROP COLUMN mark; PRAGMA user_version = 3",
        )
        .unwrap();
    };
    older();
    // Any command, anywhere, makes the working copies known.
    scene.run("here", "", "project list");
    lose(&scene, "mine");
    assert_eq!(Copy::new(&scene, "here", "mine").log(), head);
    // If the state is lost before that, nobody knows what the folder is based on, and the push is
    // refused.
    older();
    lose(&scene, "mine");
    let told = scene.run("here", "mine", "push");
    assert!(
        told.starts_with("exit 2") && told.contains("this folder was a working copy"),
        "{told}"
    );
    json(&scene, "here", "mine", "clone app --here");
    assert_eq!(json(&scene, "here", "mine", "push")["project"], "app");
}

#[test]
fn a_folder_of_an_older_day_joins_where_it_stood() {
    let scene = shared();
    for name in ["a", "b", "c"] {
        scene.write(format!("old/{name}"), "1");
    }
    scene.write("mine/a", "2");
    scene.write("mine/b", "2");
    fs::remove_file(scene.path("mine/c")).unwrap();
    json(&scene, "here", "mine", "push");
    scene.write("old/b", "an edit");
    let joined = json(&scene, "there", "old", "clone app --here --workspace old");
    assert_eq!(joined["modified"], serde_json::json!(["b"]), "{joined}");
    assert_eq!(joined["added"], serde_json::json!([]), "{joined}");
    json(&scene, "there", "old", "push");
    // Later changes of others are not undone. Only a file that both edited is in conflict.
    let told = scene.run("here", "mine", "pull old");
    assert!(told.starts_with("exit 1") && told.contains("C b"), "{told}");
    assert_eq!(scene.read("mine/a"), "2");
    assert!(!scene.path("mine/c").exists());
}
