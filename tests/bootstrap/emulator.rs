//! A Lambda function in AWS's Runtime Interface Emulator. The emulator handles one invocation at a
//! time, and starts the function with the first one. It is killed when the test ends.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// The timeout for the start of the emulator, and for each invocation.
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// Returns the variables by which faketime moves the date of a process.
#[expect(clippy::disallowed_methods, reason = "tests/run sets the variables")]
fn faketime() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| name == "LD_PRELOAD" || name.starts_with("FAKETIME"))
}

pub(crate) struct Emulator {
    process: Child,
    address: String,
    log: PathBuf,
    http: SharedHttpConnector,
}

impl Emulator {
    /// Starts the emulator `rie` for the function `binary`. It inherits no environment variables but
    /// those of faketime.
    pub(crate) async fn start(rie: &Path, binary: &Path, environment: &[(&str, &str)]) -> Self {
        assert!(
            binary.exists(),
            "there is no {}: build the release binaries first",
            binary.display()
        );
        let [address, runtime_api] = free_addresses();
        let name = binary.file_name().unwrap().to_string_lossy();
        let log = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("bootstrap-{name}-{}.log", std::process::id()));
        let file = File::create(&log).unwrap();
        let process = Command::new(rie)
            .args(["--log-level", "error", "--runtime-interface-emulator-address", &address])
            .args(["--runtime-api-address", &runtime_api])
            .arg(binary)
            .env_clear()
            .envs(environment.iter().copied())
            .envs(faketime())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let http = SharedHttpConnector::new(Connector::builder().build_http());
        let emulator = Self { process, address, log, http };
        timeout(TIMEOUT, emulator.wait()).await.unwrap_or_else(|_| panic!("{}", emulator.log()));
        emulator
    }

    async fn wait(&self) {
        while TcpStream::connect(&self.address).await.is_err() {
            sleep(RETRY_DELAY).await;
        }
    }

    /// Sends an event to the function. Returns the response.
    pub(crate) async fn invoke(&self, event: &Value) -> Value {
        let mut request = HttpRequest::new(SdkBody::from(event.to_string()));
        request.set_method("POST").unwrap();
        let path = "2015-03-31/functions/function/invocations";
        request.set_uri(format!("http://{}/{path}", self.address)).unwrap();
        let invocation = async {
            let response = self.http.call(request).await.unwrap();
            ByteStream::new(response.into_body()).collect().await.unwrap().into_bytes()
        };
        let bytes = timeout(TIMEOUT, invocation).await.unwrap_or_else(|_| panic!("{}", self.log()));
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("{bytes:?} is not JSON:\n{}", self.log()))
    }

    /// Returns the log of the emulator and the function.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Emulator {
    /// Kills the emulator. The function then ends by itself.
    fn drop(&mut self) {
        let _already_exited = self.process.kill();
        let _exit_status = self.process.wait();
        let _already_removed = fs::remove_file(&self.log);
    }
}

/// Returns two free addresses.
fn free_addresses() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|it| it.local_addr().unwrap().to_string())
}
