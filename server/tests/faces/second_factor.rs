//! A tenant that asks everybody for a second factor, seen through the console.

use serde_json::json;

use super::program::Program;

#[tokio::test]
async fn whoever_owes_a_second_factor_is_led_to_it_and_does_nothing_else() {
    let program = Program::start();
    program.tenant("acme");
    program.tenant("other");
    let admin = program.signed_in("tenant-admin@acme.test").await;
    let requirement = |is_required: bool| json!({ "is_required": is_required });
    assert_eq!(admin.call("/console/require_second_factor", &requirement(true)).await.status(), 200);
    let waived = admin.call("/console/require_second_factor", &requirement(false)).await;
    assert_eq!(waived.status(), 403, "nor can they do without it");
    for page in ["/", "/tenant-api-keys", "/tenant-api-keys/new", "/user-profile/api-keys/new"] {
        let answer = admin.get(page).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/security".parse().unwrap()));
    }
    for page in ["/security", "/security/second-factor", "/user-profile"] {
        assert_eq!(admin.get(page).await.status(), 200, "{page}");
    }
    let elsewhere = program.signed_in("tenant-admin@other.test").await;
    assert_eq!(elsewhere.get("/tenant-api-keys").await.status(), 200, "another tenant is not bound by it");
}

#[tokio::test]
async fn signing_out_everywhere_takes_the_cookie_back() {
    let program = Program::start();
    program.tenant("acme");
    let (here, elsewhere) = (program.signed_in("member@acme.test").await, program.signed_in("member@acme.test").await);
    let answer = here.call("/console/sign_out_everywhere", &json!({})).await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("latchkey_session=;") && cookie.ends_with("; Max-Age=0"), "{cookie}");
    for browser in [here, elsewhere] {
        assert_eq!(browser.get("/security").await.status(), 303);
    }
}
