//! A camera that answers, and every way in which one does not.

use super::*;
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LAYER: &str = r#"{"type":"FeatureCollection","features":[
    {"properties":{"id":"camera-01","name_zh":"一号","name_en":"One","chainage_m":1000},"geometry":{"type":"Point","coordinates":[113.6,34.9]}},
    {"properties":{"id":"camera-02","name_zh":"二号","name_en":"Two","chainage_m":1600},"geometry":{"type":"Point","coordinates":[113.607,34.9]}},
    {"properties":{"id":"camera-03","name_zh":"三号","name_en":"Three"},"geometry":{"type":"Point","coordinates":[113.6005,34.9]}}]}"#;

fn load(text: &str) -> Result<CameraMap, String> {
    CameraMap::load(Path::new("cameras.toml"), text, LAYER).map_err(|fault| fault.to_string())
}

/// Answers one request after another by its path; `/slow` never.
async fn camera() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let read = peer.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let signed = request.to_lowercase().contains("authorization: basic yw5syw46c2vjcmv0");
                assert!(!(request.starts_with("GET /digest") && request.contains("Basic ")), "a password in the clear");
                let answer: &[u8] = match request.split(' ').nth(1).unwrap() {
                    "/ok" => b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\xff\xd8\xff\xe0x",
                    "/secret?channel=1" if signed => b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xd8\xff\xe1",
                    "/secret?channel=1" => b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"\r\ncontent-length: 0\r\n\r\n",
                    "/digest?channel=1" if digest_holds(&request) => {
                        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xd8\xff\xe2"
                    }
                    "/digest-md5" if digest_holds(&request) => b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\xff\xd8\xff",
                    "/digest-md5" => b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Digest realm=\"cam\", qop=\"auth\", \
                        nonce=\"n-17\"\r\ncontent-length: 0\r\n\r\n",
                    "/digest?channel=1" => b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm=\"cam\"\r\n\
                        www-authenticate: Digest realm=\"cam\", qop=\"auth\", nonce=\"n-17\", algorithm=SHA-256\r\ncontent-length: 0\r\n\r\n",
                    "/ticket" => b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Negotiate\r\ncontent-length: 0\r\n\r\n",
                    "/moved" => b"HTTP/1.1 302 Found\r\nlocation: /ok\r\ncontent-length: 0\r\n\r\n",
                    "/cut" => b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n\xff\xd8",
                    "/slow" => return std::future::pending().await,
                    _ => {
                        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                        // Without an end: whoever waits for it fills up.
                        while peer.write_all(&[0xff; 4096]).await.is_ok() {}
                        return;
                    }
                };
                let _ = peer.write_all(answer).await;
            });
        }
    });
    address
}

fn md5_of(text: &str) -> String {
    use md5::Digest;
    hex::encode(md5::Md5::digest(text))
}

/// Whether a request answers the challenge of `/digest` with the right password (RFC 7616, section 3.4.1).
fn digest_holds(request: &str) -> bool {
    let field = |name: &str| {
        let (_, rest) = request.split_once(&format!("{name}="))?;
        rest.trim_start_matches('"').split(['"', ',', '\r']).next().map(str::to_owned)
    };
    let path = request.split(' ').nth(1).unwrap();
    let is_old = path == "/digest-md5";
    let hash = |text: String| if is_old { md5_of(&text) } else { hex::encode(Sha256::digest(text)) };
    let proof = || {
        let (who, what) = (hash("anlan:cam:secret".into()), hash(format!("GET:{path}")));
        let (count, own) = (field("nc")?, field("cnonce")?);
        Some(hash(format!("{who}:n-17:{count}:{own}:auth:{what}")))
    };
    field("response").is_some_and(|response| Some(response) == proof())
}

#[tokio::test]
async fn a_picture_comes_whole_or_the_fault_has_words_without_the_address() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let host = camera().await;
    let check = async |more: &str, timeout_s: u64, expected: Result<&[u8], CameraFault>| {
        let text = format!(
            "hosts = ['{host}']\ntimeout_s = {timeout_s}\nbytes_max = 100000\n[[camera]]\nid = 'camera-01'\n{more}"
        );
        let map = load(&text).unwrap();
        let found = Eye::new(&map).unwrap().look(map.camera("camera-01").unwrap()).await;
        assert_eq!(found.as_deref().map_err(Clone::clone), expected, "{more}");
    };
    let at = |path: &str| format!("snapshot = 'http://{host}{path}'");
    check(&at("/ok"), 5, Ok(b"\xff\xd8\xff\xe0x")).await;
    check(&at("/moved"), 5, Err(CameraFault::Answer(302))).await;
    check(&at("/secret?channel=1"), 5, Err(CameraFault::Refused)).await;
    check(&at("/endless"), 5, Err(CameraFault::TooLarge(100_000))).await;
    check(&at("/slow"), 1, Err(CameraFault::Silent(1))).await;
    check("", 5, Err(CameraFault::NoAddress)).await;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "secret\n").unwrap();
    let text = format!(
        "hosts = ['127.0.0.1']\n[[camera]]\nid = 'camera-01'\n{}\nuser = 'anlan'\npassword_file = 'password'",
        at("/secret?channel=1")
    );
    let map = CameraMap::load(&folder.path().join("cameras.toml"), &text, LAYER).unwrap();
    let (eye, camera) = (Eye::new(&map).unwrap(), map.camera("camera-01").unwrap());
    assert_eq!(eye.look(camera).await.unwrap(), b"\xff\xd8\xff\xe1");
    let with = |path: &str, password: &str| {
        std::fs::write(folder.path().join("password"), password).unwrap();
        let text = text.replace("/secret?channel=1", path);
        let map = CameraMap::load(&folder.path().join("cameras.toml"), &text, LAYER).unwrap();
        (Eye::new(&map).unwrap(), map.camera("camera-01").unwrap().clone())
    };
    for (path, password, expected) in [
        ("/digest?channel=1", "secret", Ok(b"\xff\xd8\xff\xe2".to_vec())),
        ("/digest-md5", "secret", Ok(b"\xff\xd8\xff".to_vec())),
        ("/digest?channel=1", "wrong", Err(CameraFault::Refused)),
        ("/secret?channel=1", "wrong", Err(CameraFault::Refused)),
        ("/ticket", "secret", Err(CameraFault::Challenge)),
    ] {
        let (eye, camera) = with(path, password);
        assert_eq!(eye.look(&camera).await, expected, "{path} {password}");
    }
    let shown = format!("{map:?} {eye:?}");
    assert!(!shown.contains("secret") && !shown.contains("channel"), "{shown}");
    let text = "hosts = ['127.0.0.1']\n[[camera]]\nid = 'camera-01'\nsnapshot = 'http://127.0.0.1:9/x?key=k'";
    let map = load(text).unwrap();
    let fault = Eye::new(&map).unwrap().look(map.camera("camera-01").unwrap()).await.unwrap_err().to_string();
    assert!(fault.contains("连接不上") && !fault.contains("key"), "{fault}");
    let text = format!("hosts = ['{host}']\n[[camera]]\nid = 'camera-01'\n{}", at("/cut"));
    let map = load(&text).unwrap();
    let fault = Eye::new(&map).unwrap().look(map.camera("camera-01").unwrap()).await.unwrap_err();
    assert!(matches!(fault, CameraFault::Away(_)), "{fault:?}");
}

#[test]
fn the_file_is_held_against_the_map_and_its_list_of_hosts() {
    let check = |text: &str, word: &str| {
        let fault = load(text).unwrap_err();
        assert!(fault.starts_with("cameras.toml:") && fault.contains(word), "{fault}");
    };
    let one =
        |address: &str| format!("hosts = ['10.1.1.1:8080']\n[[camera]]\nid = 'camera-01'\nsnapshot = '{address}'");
    assert_eq!(
        load(&one("http://10.1.1.1:8080/a?b=c")).unwrap().camera("camera-01").unwrap().host().unwrap(),
        "10.1.1.1:8080"
    );
    check(&one("http://10.1.1.1/a"), "does not list");
    check(&one("http://169.254.169.254/latest"), "does not list");
    check(&one("file:///etc/passwd"), "http or https");
    check(&one("http://u:p@10.1.1.1:8080/"), "account");
    check(&one("not an address"), "no address");
    check("hosts = []\n[[camera]]\nid = 'camera-99'", "map layer");
    check("hosts = []\n[[camera]]\nid = 'camera-01'\n[[camera]]\nid = 'camera-01'", "twice");
    check("hosts = []\n[[camera]]\nid = 'camera-01'\nuser = 'u'", "go together");
    check("hosts = []\n[[camera]]\nid = 'camera-01'\nuser = 'u'\npassword_file = 'nowhere'", "cannot read");
    check("hosts = []\ntimeout_s = 0", "timeout_s");
    check("hosts = []\nbytes_max = 1", "bytes_max");
    check("hosts = []\nwithin_m = 0", "within_m");
    check("hosts = []\ncolour = 'red'", "colour");
    let page = include_str!("../../../docs/ingest/cameras.md");
    let (_, sample) = page.split_once("```toml\n").unwrap();
    let sample = sample
        .split_once("```")
        .unwrap()
        .0
        .replace("ca_file", "# ca_file")
        .replace("password_file", "# ")
        .replace("user =", "# ");
    assert_eq!(load(&sample).unwrap().cameras.len(), 3);
}

#[test]
fn the_nearest_camera_is_found_by_position_or_chainage() {
    let text = "hosts = ['10.1.1.1']\n[[camera]]\nid = 'camera-01'\nsnapshot = 'http://10.1.1.1/1'\n\
                [[camera]]\nid = 'camera-02'\nsnapshot = 'http://10.1.1.1/2'";
    let map = load(text).unwrap();
    let near = |position| {
        map.near(position).into_iter().map(|(one, metres)| (one.id.as_str(), metres.round())).collect::<Vec<_>>()
    };
    assert_eq!(near(Position::Point { lon: 113.605, lat: 34.9 }), [("camera-02", 182.0), ("camera-01", 456.0)]);
    assert_eq!(near(Position::Chainage(1100.0)), [("camera-01", 100.0), ("camera-02", 500.0)]);
    assert_eq!(near(Position::Point { lon: 113.7, lat: 34.9 }), []);
    assert_eq!(near(Position::Point { lon: f64::NAN, lat: 34.9 }), []);
    assert_eq!(CameraMap::of_layer(LAYER).near(Position::Chainage(1000.0)).len(), 0, "nothing can be fetched");
}
