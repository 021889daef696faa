//! A model behind a server: what the bot makes of what servers say.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt;
use runlore_bot::model::openai::ServerModel;
use runlore_bot::model::{CancellationToken, GrammarField, LanguageModel, ModelError, Prompt, Request, ServerSettings, Shape};
use serde_json::{Value, json};
use tokio::sync::Notify;

const KEY: &str = "the-right-key";
const SENTENCE_GRAMMAR: &str = "start: \"the best is \" /[ab]/";

/// What the stand-in says to one request.
enum Say {
    /// These texts as events, then the end.
    Pieces(&'static [&'static str]),
    /// These bytes as a stream, cut where the test wants it.
    Raw(Vec<&'static [u8]>),
    /// Without a stream.
    Whole(&'static str),
    Status(u16, &'static str),
    Page,
    /// Nothing for ever.
    Hang,
    /// One piece, then nothing for ever.
    HangAfter(&'static str),
}

#[derive(Default)]
struct StandIn {
    says: Mutex<VecDeque<Say>>,
    asked: Mutex<Vec<Value>>,
    hung_up: Notify,
}

/// Tells the test that the client has gone.
struct Line(Arc<StandIn>);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.hung_up.notify_one();
    }
}

fn event(piece: &str) -> Bytes {
    Bytes::from(format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]})))
}

async fn chat(State(stand_in): State<Arc<StandIn>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {KEY}")) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"message": "invalid api key"}}))).into_response();
    }
    stand_in.asked.lock().unwrap().push(body);
    let say = stand_in.says.lock().unwrap().pop_front().expect("asked more often than the test says");
    let stream = |bytes: Vec<Bytes>| futures::stream::iter(bytes.into_iter().map(Ok::<_, std::io::Error>));
    let end = Bytes::from_static(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    let body = match say {
        Say::Pieces(pieces) => Body::from_stream(stream(pieces.iter().map(|piece| event(piece)).chain([end]).collect())),
        Say::Raw(parts) => Body::from_stream(stream(parts.into_iter().map(Bytes::from_static).collect())),
        Say::Whole(text) => return Json(json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})).into_response(),
        Say::Status(status, body) => return (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Say::Page => return ([(header::CONTENT_TYPE, "text/html")], "<html>Welcome to the intranet</html>").into_response(),
        Say::Hang => futures::future::pending().await,
        Say::HangAfter(piece) => {
            let line = Line(Arc::clone(&stand_in));
            let silence = futures::stream::pending().map(move |bytes| {
                let _held = &line;
                bytes
            });
            Body::from_stream(stream(vec![event(piece)]).chain(silence))
        }
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Starts a server that says these things, one a request.
async fn server(says: impl IntoIterator<Item = Say>) -> (String, Arc<StandIn>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stand_in = Arc::new(StandIn { says: Mutex::new(says.into_iter().collect()), ..StandIn::default() });
    let router = axum::Router::new().route("/v1/chat/completions", post(chat)).with_state(Arc::clone(&stand_in));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, stand_in)
}

fn settings(url: &str) -> ServerSettings {
    ServerSettings {
        url: url.to_owned(),
        model: "small".to_owned(),
        api_key: Some(KEY.to_owned().into()),
        timeout: Duration::from_secs(30),
        grammar: GrammarField::None,
    }
}

fn request(shape: Shape) -> Request {
    let prompt = Prompt { fixed: "the tools".to_owned(), scope_id: "scope-1".to_owned(), varying: "the question".to_owned() };
    Request { prompt, shape, max_tokens: 50 }
}

fn plan() -> Request {
    let tool = json!({"enum": ["best", "compare"]});
    request(Shape::Json(json!({"type": "object", "properties": {"tool": tool}, "required": ["tool"], "additionalProperties": false})))
}

/// What comes of a plan when the server says these things.
async fn planned(says: impl IntoIterator<Item = Say>) -> (Result<String, ModelError>, Vec<Value>) {
    let (url, stand_in) = server(says).await;
    let model = ServerModel::new(settings(&url)).unwrap();
    let result = model.generate(&plan(), &|_| (), &CancellationToken::new()).await;
    let asked = stand_in.asked.lock().unwrap().clone();
    (result, asked)
}

async fn failure(say: Say) -> String {
    match planned([say]).await.0 {
        Err(ModelError::Unavailable(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

const BEST: &str = r#"{"tool":"best"}"#;

#[tokio::test]
async fn pieces_come_as_they_are_sent_and_the_prompt_keeps_its_order() {
    let (url, stand_in) = server([Say::Pieces(&["{\"to", "ol\":\"", "best\"}"])]).await;
    let model = ServerModel::new(settings(&format!("{url}/v1/"))).unwrap();
    let pieces = Mutex::new(Vec::new());
    let on_text = |piece: &str| pieces.lock().unwrap().push(piece.to_owned());
    let text = model.generate(&plan(), &on_text, &CancellationToken::new()).await;

    assert_eq!(text, Ok(BEST.to_owned()));
    assert_eq!(*pieces.lock().unwrap(), ["{\"to", "ol\":\"", "best\"}"]);
    let asked = stand_in.asked.lock().unwrap();
    assert_eq!(asked[0]["messages"][0], json!({"role": "system", "content": "the tools"}));
    assert_eq!(asked[0]["messages"][1], json!({"role": "user", "content": "scope-1\nthe question"}));
    assert_eq!(asked[0]["response_format"]["json_schema"]["schema"]["required"], json!(["tool"]));
    assert_eq!((&asked[0]["model"], &asked[0]["stream"], &asked[0]["temperature"]), (&json!("small"), &json!(true), &json!(0)));
}

#[tokio::test]
async fn a_stream_cut_anywhere_is_read_whole() {
    let text = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"{\\\"tool\\\":\\\"be\"}}]}\r\n\r\n: still here\n\n";
    let rest = "data: {\"choices\":[{\"delta\":{\"content\":\"st\\\"}  é\"}}]}\n\ndata:[DONE]\n";
    let (first, second) = text.as_bytes().split_at(30);
    let (third, fourth) = rest.as_bytes().split_at(rest.find('é').unwrap() + 1);
    assert_eq!(planned([Say::Raw(vec![first, second, third, fourth])]).await.0, Ok(BEST.to_owned()));
    assert_eq!(planned([Say::Whole(BEST)]).await.0, Ok(BEST.to_owned()), "a server that does not stream");
}

#[tokio::test]
async fn fenced_json_is_repaired_and_a_wrong_plan_asked_for_once_more() {
    let (text, asked) = planned([Say::Pieces(&["Here it is:\n```json\n{ \"tool\": ", "\"best\" }\n```"])]).await;
    assert_eq!((text, asked.len()), (Ok(BEST.to_owned()), 1));

    let (text, asked) = planned([Say::Pieces(&["{\"tool\":\"delete\"}"]), Say::Pieces(&[BEST])]).await;
    assert_eq!(text, Ok(BEST.to_owned()));
    assert!(!asked[0]["messages"][1].to_string().contains("JSON schema"));
    assert!(asked[1]["messages"][1].to_string().contains("JSON schema"), "the second try says the shape in words");

    let (text, asked) = planned([Say::Pieces(&["I cannot"]), Say::Pieces(&["no"])]).await;
    assert_eq!((text, asked.len()), (Err(ModelError::OutOfShape("it holds no JSON".to_owned())), 2));
}

#[tokio::test]
async fn a_server_that_knows_no_shapes_is_asked_in_words() {
    let refusal = || Say::Status(400, r#"{"error":{"message":"response_format is not supported"}}"#);
    let (url, stand_in) = server([refusal(), Say::Pieces(&[BEST]), Say::Pieces(&[BEST])]).await;
    let model = ServerModel::new(settings(&url)).unwrap();
    for _ in 0..2 {
        assert_eq!(model.generate(&plan(), &|_| (), &CancellationToken::new()).await, Ok(BEST.to_owned()));
    }
    let asked = stand_in.asked.lock().unwrap();
    assert_eq!(asked.len(), 3, "the second question does not try again");
    assert!(asked[0].get("response_format").is_some() && asked[1].get("response_format").is_none());
    assert!(asked[2]["messages"][1].to_string().contains("JSON schema"));
}

#[tokio::test]
async fn a_grammar_goes_into_the_servers_own_field_or_is_checked_here() {
    let sentence = request(Shape::Lark(SENTENCE_GRAMMAR.to_owned()));
    let fields = [
        (GrammarField::Mistralrs, "grammar", json!({"type": "lark", "value": SENTENCE_GRAMMAR})),
        (GrammarField::Vllm, "structured_outputs", json!({"grammar": SENTENCE_GRAMMAR})),
        (GrammarField::None, "grammar", Value::Null),
    ];
    for (grammar, field, expected) in fields {
        let (url, stand_in) = server([Say::Pieces(&["the best", " is c"]), Say::Pieces(&["the best is a\n"])]).await;
        let model = ServerModel::new(ServerSettings { grammar, ..settings(&url) }).unwrap();
        assert_eq!(model.generate(&sentence, &|_| (), &CancellationToken::new()).await, Ok("the best is a".to_owned()));
        let asked = stand_in.asked.lock().unwrap();
        assert_eq!((asked.len(), &asked[0][field]), (2, &expected));
    }
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    assert!(failure(Say::Page).await.contains("something other than a chat completion: check `[model] url`"));
    assert!(failure(Say::Raw(vec![b"data: {]\n\n"])).await.contains("something other than a chat completion"));
    assert!(
        failure(Say::Raw(vec![b"data: {\"choices\":[{\"delta\":{\"content\":\"{\"}}]}\n\n"])).await.contains("broke off in the middle")
    );
    assert!(failure(Say::Raw(vec![b"data: {\"error\":{\"message\":\"out of memory\"}}\n\n"])).await.contains("failed (out of memory)"));
    assert!(
        failure(Say::Status(404, "{\"error\":\"no such model\"}")).await.contains("does not know the model `small`: check `[model] model`")
    );
    assert!(failure(Say::Status(503, "")).await.contains("is busy: try again later (503)"));
    assert!(failure(Say::Status(302, "")).await.contains("points elsewhere"));
    let too_long = planned([Say::Status(400, "This model's maximum context length is 4096 tokens")]).await.0;
    assert_eq!(too_long, Err(ModelError::TooLong));

    let (url, _stand_in) = server([]).await;
    let stranger = ServerModel::new(ServerSettings { api_key: Some("wrong".to_owned().into()), ..settings(&url) }).unwrap();
    let error = stranger.warm("the tools").await.unwrap_err().to_string();
    assert!(error.contains("refused the key: check the API key (401: invalid api key)"), "{error}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ServerModel::new(settings(&nobody)).unwrap().warm("the tools").await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && error.ends_with("is it running, and is `[model] url` right?"), "{error}");
    assert!(ServerModel::new(settings("localhost:8000")).is_err_and(|error| error.to_string().contains("is not an address")));
}

#[tokio::test]
async fn a_server_that_hangs_ends_with_the_timeout() {
    for say in [Say::Hang, Say::HangAfter("{")] {
        let (url, _stand_in) = server([say]).await;
        let model = ServerModel::new(ServerSettings { timeout: Duration::from_millis(200), ..settings(&url) }).unwrap();
        let error = model.generate(&plan(), &|_| (), &CancellationToken::new()).await.unwrap_err().to_string();
        assert!(error.contains("gave no answer within 0.2 s"), "{error}");
    }
}

#[tokio::test]
async fn cancelling_hangs_up() {
    let (url, stand_in) = server([Say::HangAfter("{"), Say::Pieces(&[BEST])]).await;
    let model = ServerModel::new(settings(&url)).unwrap();
    let cancel = CancellationToken::new();
    let result = model.generate(&plan(), &|_| cancel.cancel(), &cancel).await;
    assert_eq!(result, Err(ModelError::Cancelled));
    tokio::time::timeout(Duration::from_secs(10), stand_in.hung_up.notified()).await.expect("the server still sends");
    assert_eq!(model.generate(&plan(), &|_| (), &CancellationToken::new()).await, Ok(BEST.to_owned()), "the next question is answered");
}
