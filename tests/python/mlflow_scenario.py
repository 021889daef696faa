"""Logs a small team's runs on an MLflow server with MLflow's own client, changes them, and says what the server then shows.

usage: mlflow_scenario.py log    NAMES       logs everything and writes the ids by name
       mlflow_scenario.py change NAMES STORE changes things; STORE is the server's SQLite address, for `mlflow gc`
       mlflow_scenario.py truth  OUT         writes every run that the server shows to the asker, with every point

The server is MLFLOW_TRACKING_URI, the asker MLFLOW_TRACKING_USERNAME and _PASSWORD. With RUNLORE_READER=name:password the server
has access control: `log` makes that user and denies them one experiment, `change` another. Run by tests/e2e/mlflow_server.rs.
"""
import json, math, os, subprocess, sys, tempfile

os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

START = 1_790_000_000_000
N_LONG = 30_000
# Off the grids of every third and every twelfth point, which samplings of 10,000 and 2,500 points would keep.
BEST_STEP, NAN_STEP, INF_STEP = 17_351, 23_458, 11_111
TEXT_ENDINGS = (".log", ".txt", ".md", ".yaml", ".yml", ".json", ".toml", ".cfg", ".err", ".out")
MAX_TEXT = 64 << 10

client = MlflowClient()
ids = {}
clock = START


def tick(ms=1_000):
    global clock
    clock += ms
    return clock


def run(name, experiment, points=(), params=(), tags=(), status="FINISHED", run_name=None):
    """Logs one run: points are (key, step, value)."""
    started = client.create_run(experiment, start_time=tick(), tags=dict(tags), run_name=run_name or name)
    run_id = ids[name] = started.info.run_id
    metrics = [Metric(key, value, tick(10), step) for key, step, value in points]
    for first in range(0, len(metrics), 1_000):
        client.log_batch(run_id, metrics=metrics[first : first + 1_000])
    if params:
        client.log_batch(run_id, params=[Param(k, v) for k, v in params])
    if status != "RUNNING":
        client.set_terminated(run_id, status=status, end_time=tick())
    return run_id


def experiment(name, key=None):
    ids[key or name] = client.create_experiment(name)
    return ids[key or name]


def long_series():
    for step in range(N_LONG):
        value = 1.0 + math.sin(step / 77.0) / 10 + 0.1 / 3
        value = {BEST_STEP: 0.0123456789012345678, NAN_STEP: math.nan, INF_STEP: math.inf}.get(step, value)
        yield "train/loss", step, value


def log():
    if reader():
        auth().create_user(*reader())
    vision = experiment("vision")
    client.set_experiment_tag(vision, "mlflow.experiment.primaryMetric.name", "val/acc")
    client.set_experiment_tag(vision, "mlflow.experiment.primaryMetric.greaterIsBetter", "True")
    curve = [("val/acc", step, 0.5 + step / 7.0) for step in range(7)]
    params = [("lr", "0.1"), ("optimizer.name", "adamw"), ("note", "ünï 🙂 / \"quoted\"")]
    good = run("good", vision, curve, params, {"team": "a b", "mlflow.note.content": "# Note\nwith two lines"})
    log_dataset(good)
    log_text(good, "config.yaml", "lr: 0.1\n")
    run("twin-first", vision, [("val/acc", 0, 0.25)], run_name="twin")
    run("twin-second", vision, [("val/acc", 0, 0.75)], run_name="twin")
    bad = [("train/loss", 0, 2.0), ("train/loss", 1, math.nan), ("train/loss", 2, math.inf), ("train/loss", 3, -math.inf)]
    failed = run("failed", vision, bad + [("system/gpu_0_utilization_percentage", 0, 97.5)], status="FAILED")
    log_text(failed, "logs/error.log", "Traceback\nRuntimeError: NCCL timeout\n")
    log_text(failed, "logs/train.out", "".join(f"line {n}\n" for n in range(20_000)))
    run("killed", vision, status="KILLED")
    parent = run("parent", vision)
    for n in range(2):
        run(f"child-{n}", vision, [("val/acc", 5, 0.1), ("val/acc", 5, 0.2), ("val/acc", -1, 0.3)], tags={"mlflow.parentRunId": parent})
    run("running", vision, curve[:3], status="RUNNING")
    run("to-delete", vision, curve)
    run("to-purge", vision, curve)
    run("to-rename", vision, curve)
    client.delete_run(run("deleted-early", vision, curve))
    run("long", experiment("long"), long_series())
    run("in-renamed", experiment("old name", "renamed"), curve)
    run("in-deleted", experiment("short-lived"), curve)
    run("in-closed", experiment("closed-later"), curve)
    run("in-hidden", experiment("hidden"), curve)
    experiment("empty")
    deny("hidden")


def change(store):
    client.delete_run(ids["to-delete"])
    client.delete_run(ids["to-purge"])
    purge = ["gc", "--backend-store-uri", store, "--run-ids", ids["to-purge"]]
    subprocess.run([sys.executable, "-m", "mlflow", *purge], check=True)
    client.update_run(ids["to-rename"], name="renamed run")
    client.rename_experiment(ids["renamed"], "new name")
    client.delete_experiment(ids["short-lived"])
    client.restore_run(ids["deleted-early"])
    # Resumed: new points, another end, of another client's clock.
    client.update_run(ids["running"], status="RUNNING")
    client.log_batch(ids["running"], metrics=[Metric("val/acc", 0.99, tick(10), step) for step in range(3, 6)])
    client.set_terminated(ids["running"], status="FINISHED", end_time=1_000)
    client.log_batch(ids["good"], metrics=[Metric("val/acc", 0.9, tick(10), 100), Metric("test/acc", 0.8, tick(10), 0)])
    client.set_tag(ids["good"], "team", "c")
    client.set_tag(ids["twin-first"], "verdict", "worse")
    log_text(ids["killed"], "logs/late.log", "written after the end\n")
    client.set_tag(ids["killed"], "log", "late")
    run("new", ids["vision"], [("val/acc", 0, 0.5)])
    run("new-in-closed", ids["closed-later"], [("val/acc", 0, 0.5)])
    deny("closed-later")


def reader():
    value = os.environ.get("RUNLORE_READER")
    return value.split(":") if value else None


def auth():
    from mlflow.server import get_app_client

    return get_app_client("basic-auth", tracking_uri=os.environ["MLFLOW_TRACKING_URI"])


def deny(name):
    if reader():
        auth().grant_user_permission(reader()[0], "experiment", ids[name], "DENY")


def log_text(run_id, path, text):
    client.log_text(run_id, text, path)


def log_dataset(run_id):
    import pandas
    from mlflow.data.pandas_dataset import from_pandas
    from mlflow.entities import DatasetInput, InputTag

    data = from_pandas(pandas.DataFrame({"x": [1, 2]}), source="https://example.org/x.csv", name="reviews")
    entity = data._to_mlflow_entity()
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def truth():
    runs = []
    experiments = client.search_experiments(view_type=ViewType.ACTIVE_ONLY)
    for one in experiments:
        token = None
        while True:
            page = client.search_runs([one.experiment_id], run_view_type=ViewType.ACTIVE_ONLY, max_results=3, page_token=token)
            runs += [shown(one, found) for found in page]
            token = page.token
            if not token:
                break
    return runs


def shown(experiment, found):
    info, data = found.info, found.data
    return {
        "id": info.run_id, "experiment": experiment.name, "experiment_id": experiment.experiment_id, "name": info.run_name,
        "status": info.status, "start": info.start_time, "end": info.end_time, "user": info.user_id,
        "params": data.params, "tags": data.tags,
        "datasets": [[d.dataset.name, d.dataset.digest, d.tags[0].value] for d in found.inputs.dataset_inputs],
        "metrics": {key: history(info.run_id, key) for key in data.metrics},
        "texts": dict(texts(info.run_id, None)),
    }


def history(run_id, key):
    points = client.get_metric_history(run_id, key)
    points.sort(key=lambda point: (point.step, point.timestamp))
    return [[point.step, point.timestamp, written(point.value)] for point in points]


def written(value):
    """As text, because JSON has no NaN; infinities stand in the store as the largest numbers."""
    largest = sys.float_info.max
    return "inf" if value >= largest else "-inf" if value <= -largest else repr(value)


def texts(run_id, folder):
    for found in client.list_artifacts(run_id, folder):
        if found.is_dir:
            yield from texts(run_id, found.path)
        elif found.path.endswith(TEXT_ENDINGS):
            with tempfile.TemporaryDirectory() as place:
                content = open(client.download_artifacts(run_id, found.path, place), "rb").read()
            yield found.path, {"tail": content[-MAX_TEXT:].decode(), "size": len(content)}


def main():
    command, path = sys.argv[1:3]
    if command == "log":
        log()
        json.dump(ids, open(path, "w"))
    elif command == "change":
        ids.update(json.load(open(path)))
        global clock
        clock += 10_000_000
        change(sys.argv[3])
        json.dump(ids, open(path, "w"))
    else:
        json.dump(truth(), open(path, "w"))


main()
