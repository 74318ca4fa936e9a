//! The address that Halo sees: what is said of it, and how it is found.

use parhelion::api::http::Url;
use parhelion::api::outgoing::Outgoing;

fn said(address: &str, proxy: Option<&str>) -> String {
    Outgoing { address: address.parse().unwrap(), proxy: proxy.map(str::to_owned) }.to_string()
}

#[test]
fn a_private_address_is_not_what_halo_sees() {
    assert_eq!(said("203.0.113.7", None), "203.0.113.7: this is what Halo sees");
    for private in ["10.1.2.3", "192.168.0.4", "100.64.0.9", "169.254.1.1", "fd00::1"] {
        assert!(said(private, None).contains("router's public address"), "{private}");
    }
    let proxied = said("10.1.2.3", Some("proxy.example:3128"));
    assert!(proxied.starts_with("through the proxy proxy.example:3128"), "{proxied}");
}

#[tokio::test]
async fn the_way_to_this_machine_is_its_own_address_and_no_proxy() {
    let url = Url::parse("http://127.0.0.1:9/api").unwrap();
    let outgoing = Outgoing::to(&url).await.unwrap();
    assert_eq!((outgoing.address.is_loopback(), outgoing.proxy), (true, None));
}
