use keyring::{Error, NewPermission, SuperUser};

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    operator_adds_and_removes_permissions,
    wrong_permissions_are_refused,
}

fn new(permission: &str, name: Option<&str>) -> NewPermission {
    NewPermission {
        permission: permission.to_owned(),
        name: name.map(str::to_owned),
        description: "look them up".to_owned(),
    }
}

async fn catalog(app: &TestKeyring) -> Vec<String> {
    let catalog = app.keyring.permission_catalog().await.unwrap();
    catalog.permissions().iter().map(|known| format!("{} {}", known.permission, known.name)).collect()
}

async fn operator_adds_and_removes_permissions(app: TestKeyring) {
    let operator = SuperUser::operator();
    assert_eq!(catalog(&app).await, ["properties:read Read", "keys:verify Verify"]);
    app.keyring.add_permission(&operator, new("purchase_orders:approve", None)).await.unwrap();
    app.advance(chrono::TimeDelta::seconds(1));
    app.keyring.add_permission(&operator, new("invoices:read", Some("Look up"))).await.unwrap();
    let added = ["purchase_orders:approve Approve", "invoices:read Look up"];
    assert_eq!(catalog(&app).await[2..], added);
    app.keyring.remove_permission(&operator, "purchase_orders:approve").await.unwrap();
    assert_eq!(catalog(&app).await[2..], added[1..]);
    for permission in ["purchase_orders:approve", "properties:read", "nonsense"] {
        let refused = app.keyring.remove_permission(&operator, permission).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{permission}");
    }
}

async fn wrong_permissions_are_refused(app: TestKeyring) {
    let operator = SuperUser::operator();
    app.keyring.add_permission(&operator, new("invoices:read", None)).await.unwrap();
    for (permission, code) in [
        ("Invoices:read", "not_a_permission"),
        ("invoices", "not_a_permission"),
        ("invoices:*", "wildcard"),
        ("*", "wildcard"),
        ("invoices:read", "taken"),
        ("keys:verify", "taken"),
    ] {
        let refused = app.keyring.add_permission(&operator, new(permission, Some("Name"))).await;
        assert_eq!(codes(refused), [("permissions", code.to_owned())], "{permission}");
    }
    let refused = app.keyring.add_permission(&operator, new("invoices:write", Some(""))).await;
    assert_eq!(codes(refused).len(), 1, "a name is needed");
}
