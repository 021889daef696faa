//! Where secrets stand: settings, YAML, JSON, addresses, command lines, and over several lines.

use super::drawn::Drawn;

/// The kinds of places, as they are counted.
pub(super) const KINDS: [&str; 6] = ["environment", "YAML", "JSON", "URL", "command line", "several lines"];

/// The places of a secret: for each the kind and the text.
pub(super) fn around(drawn: &Drawn) -> Vec<(&'static str, String)> {
    let text = &drawn.text;
    if text.contains('\n') {
        return of_several_lines(text);
    }
    if text.contains([' ', '"', '\'', '`', '\\']) || text.contains("://") {
        return of_one_line(text);
    }
    let name = drawn.name.as_deref().unwrap_or("VALUE");
    let key = name.to_lowercase();
    let flag = key.replace('_', "-");
    let mut places = of_a_name(name, &key, &flag, text);
    if drawn.name.is_none() {
        places.push((KINDS[3], format!("git clone https://ci:{text}@host.example/repo.git")));
        places.push((KINDS[3], format!("<https://host.example/hooks/in?{text}>")));
        places.push((KINDS[4], format!("python run.py {text} --epochs 3")));
        places.push((KINDS[5], format!("I left this with the others:\n\n    {text}\n\nSo long.")));
        places.push((KINDS[5], format!("-----BEGIN TOKEN-----\n{text}\n-----END TOKEN-----\n")));
    }
    places
}

fn of_a_name(name: &str, key: &str, flag: &str, text: &str) -> Vec<(&'static str, String)> {
    let [env, yaml, json, url, cli, lines] = KINDS;
    vec![
        (env, format!("LR=0.1\n{name}={text}\nSEED=3\n")),
        (yaml, format!("lr: 0.1\n{key}: {text}\nseed: 3\n")),
        (json, format!("{{\"lr\": 0.1, \"{key}\": \"{text}\", \"seed\": 3}}")),
        (url, format!("see https://api.example.com/v1/runs?{key}={text}&limit=3")),
        (cli, format!("python train.py --lr 0.1 --{flag} {text} --seed 3")),
        (lines, format!("{key}: |\n  {text}\nseed: 3\n")),
        (env, format!("export {name}=\"{text}\"\necho done\n")),
        (yaml, format!("service:\n  - {key}: '{text}'\n    seed: 3\n")),
        (json, format!("{{\n  \"{key}\" : \"{text}\"\n}}\n")),
        (url, format!("[runs](https://api.example.com/runs?limit=3&{key}={text})")),
        (cli, format!("docker run -e {name}={text} image:1.2 python train.py")),
        (lines, format!("docker run \\\n  --{flag} {text} \\\n  --seed 3\n")),
        (env, format!("os.environ['{name}'] = '{text}'\n")),
        (yaml, format!("env:\n  - name: {name}\n    value: \"{text}\"\n  - name: SEED\n")),
        (json, format!("{{\\\"{key}\\\": \\\"{text}\\\", \\\"seed\\\": 3}}")),
        (url, format!("curl 'https://api.example.com/v1?{key}={text}' -o out.json")),
        (cli, format!("2026-11-20 12:00:01 INFO train.py --{flag}={text} --seed 3")),
        (lines, format!("client = Client(\n    {key}=(\n        \"{text}\"\n    ),\n)\n")),
        (env, format!("set {name}={text}\r\nset SEED=3\r\n")),
        (yaml, format!("args:\n- --{flag}\n- {text}\n- --seed\n")),
        (json, format!("[{{\"name\": \"{name}\", \"value\": \"{text}\"}}]")),
        (url, format!("https://api.example.com/#/runs?{key}={text}")),
        (cli, format!("`train --{flag} \"{text}\"` is what I ran")),
        (lines, format!("train \\\n    --{flag} \\\n    {text}\n")),
        (env, format!("+{name}={text}\n-SEED=3\n")),
        (yaml, format!("{key}: {text} # of the team\n")),
        (json, format!("{{\"args\": [\"--{flag}\", \"{text}\"]}}")),
        (lines, format!("cat > .env <<EOF\n{name}={text}\nEOF\n")),
        (lines, format!("{key}: >-\n    {text}\nseed: 3\n")),
    ]
}

fn of_one_line(text: &str) -> Vec<(&'static str, String)> {
    let [env, yaml, json, url, cli, lines] = KINDS;
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    vec![
        (env, format!("SEED=3\n{text}\nLR=0.1\n")),
        (yaml, format!("run: |\n  {text}\nseed: 3\n")),
        (json, format!("{{\"run\": \"{escaped}\", \"seed\": 3}}")),
        (url, format!("see https://host.example/x or\n{text}\n")),
        (cli, format!("$ {text}\n$ ls\n")),
        (lines, format!("We did\n\n    {text}\n\nand it worked.")),
    ]
}

fn of_several_lines(text: &str) -> Vec<(&'static str, String)> {
    let [env, yaml, json, _, cli, lines] = KINDS;
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let mut places = vec![
        (lines, format!("We did this:\n\n{text}\n\nand it worked.")),
        (yaml, format!("files:\n{indented}seed: 3\n")),
        (cli, format!("kubectl apply -f - <<EOF\n{text}\nEOF\n")),
        (lines, format!("```\n{text}\n```\n")),
    ];
    if text.starts_with("-----BEGIN") {
        let escaped = text.replace('\n', "\\n");
        places.push((env, format!("DEPLOY_KEY=\"{escaped}\"\n")));
        places.push((json, format!("{{\"deploy\": \"{escaped}\"}}")));
        places.push((yaml, format!("deploy: |\n{indented}seed: 3\n")));
    }
    places
}
