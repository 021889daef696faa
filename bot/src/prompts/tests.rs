//! Each prompt renders, and a folder's own prompt takes its place.

#![expect(clippy::unwrap_used, reason = "tests")]

use expect_test::expect;
use minijinja::context;

use super::*;

#[test]
fn the_plan_prompt_renders() {
    let prompts = Prompts::load(None).unwrap();
    let values = context! { question => "Which run is best?", metrics => ["dev/loss"], runs => Vec::<String>::new(), params => Vec::<String>::new() };
    let prompt = prompts.render("plan", "s1", values).unwrap();
    expect![[r#"
        Metrics named: dev/loss
        Question: Which run is best?"#]]
    .assert_eq(&prompt.varying);
    assert!(prompt.fixed.starts_with("You choose the look-up"));
    assert!(!prompt.fixed.contains("====="));
}

#[test]
fn the_narrate_prompt_renders() {
    let prompts = Prompts::load(None).unwrap();
    let prompt = prompts.render("narrate", "s1", context! { question => "q", answer => "Best: {a}.", marks => "{a} value of x" }).unwrap();
    expect![[r#"
        Question: q
        Answer: Best: {a}.
        {a} value of x
        Sentence:"#]]
    .assert_eq(&prompt.varying);
}

#[test]
fn the_pick_prompt_renders() {
    let prompts = Prompts::load(None).unwrap();
    let passages = vec![context! { mark => "a", text => "one" }, context! { mark => "b", text => "two" }];
    let prompt = prompts.render("pick", "s1", context! { question => "q", passages }).unwrap();
    assert!(prompt.varying.starts_with("Question: q\na: one\nb: two"), "{}", prompt.varying);
}

#[test]
fn a_folder_overrides_one_prompt_and_must_divide_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pick.j2"), "Ours.\n=====\n{{ question }}!").unwrap();
    let prompts = Prompts::load(Some(folder.path())).unwrap();
    assert_eq!(prompts.render("pick", "s", context! { question => "q" }).unwrap().varying, "q!");
    assert!(prompts.fixed("plan").starts_with("You choose"));
    std::fs::write(folder.path().join("plan.j2"), "no divider").unwrap();
    assert!(Prompts::load(Some(folder.path())).unwrap_err().to_string().contains("has no line `=====`"));
}
