//! Why a connection ended or could not be had, in words that a person on duty can act upon: Chinese first, the cause as the
//! client gave it behind.

/// Of an MQTT 3.1.1 client.
pub(super) fn of_v4(cause: &mqtt4::ConnectionError) -> String {
    use mqtt4::ConnectionError as C;
    let zh = match cause {
        C::Io(cause) => of_io(cause),
        C::Tls(_) => TLS,
        C::ConnectionRefused(_) => REFUSED,
        C::NetworkTimeout | C::FlushTimeout | C::DisconnectTimeout => TIMEOUT,
        _ => BROKEN,
    };
    format!("{zh}: {cause}")
}

/// Of an MQTT 5 client.
pub(super) fn of_v5(cause: &mqtt5::ConnectionError) -> String {
    use mqtt5::ConnectionError as C;
    let zh = match cause {
        C::Io(cause) => of_io(cause),
        C::Tls(_) => TLS,
        C::ConnectionRefused(_) => REFUSED,
        C::Timeout(_) | C::DisconnectTimeout => TIMEOUT,
        _ => BROKEN,
    };
    format!("{zh}: {cause}")
}

const TLS: &str = "TLS 未建立，请核对证书 (no TLS: check the certificates)";
const REFUSED: &str = "服务器拒绝登录，请核对用户名、口令与客户端标识 (the broker refuses the login)";
const TIMEOUT: &str = "超时无应答 (no answer in time)";
const BROKEN: &str = "协议出错或被服务器断开 (the protocol broke or the broker ended it)";

fn of_io(cause: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as K;
    match cause.kind() {
        K::ConnectionRefused => "无法连接，端口无人监听 (cannot connect: nobody listens)",
        K::HostUnreachable | K::NetworkUnreachable => "无法连接，网络不可达 (cannot connect: no way there)",
        K::TimedOut => TIMEOUT,
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof => {
            "连接被断开 (the connection was cut)"
        }
        _ => "无法连接 (cannot connect)",
    }
}
