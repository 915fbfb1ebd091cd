use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE32_NOPAD;
use domain::person::Role;
use hmac::{Hmac, KeyInit, Mac};
use keyring::{ActiveSession, Client, Credentials, Error, NewPerson, SecondFactorOffer, SessionToken, TenantAdmin};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use super::fixture::{PASSWORD, TestKeyring, client, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    code_is_required_with_the_password,
    code_signs_in_once,
    recovery_code_signs_in_once,
    enrollment_code_cannot_be_reused,
    turning_it_on_requires_a_code_of_the_secret,
    turning_it_on_ends_the_other_sessions,
    turning_it_off_deletes_the_recovery_codes,
    new_recovery_codes_end_the_old_ones,
    guesses_at_codes_are_throttled,
    correct_codes_do_not_count_as_guesses,
    tenant_can_require_mfa,
    super_user_can_enroll,
    audit_log_records_it_without_a_secret,
}

/// A person's authenticator app.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    fn of(offer: &SecondFactorOffer) -> Self {
        Self(BASE32_NOPAD.decode(offer.secret.expose_secret().as_bytes()).unwrap())
    }

    /// The secret as it was offered.
    pub fn secret(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// Returns the app's code at an instant, by RFC 6238.
    pub fn code(&self, now: DateTime<Utc>) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).unwrap();
        mac.update(&(now.timestamp() / 30).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 0x0f);
        let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

impl TestKeyring {
    /// A person who has just signed in.
    pub async fn at_the_console(&self, email: &str) -> ActiveSession {
        self.whose(&self.sign_in(email, PASSWORD).await.unwrap()).await
    }

    pub async fn whose(&self, token: &SessionToken) -> ActiveSession {
        self.keyring.signed_in(token, home()).await.unwrap().unwrap()
    }

    async fn sign_in_with(&self, email: &str, code: &str) -> Result<SessionToken, Error> {
        sign_in_from(self.keyring.clone(), email.to_owned(), code.to_owned(), client("203.0.113.7")).await
    }

    /// Turns a second factor on. A minute later its next code is fresh.
    pub async fn with_second_factor(&self, signed_in: &ActiveSession) -> (Authenticator, Vec<SecretString>) {
        let offer = self.keyring.offer_second_factor(signed_in).await.unwrap();
        let authenticator = Authenticator::of(&offer);
        let turned_on = self.keyring.turn_on_second_factor(signed_in, &authenticator.code(self.now())).await;
        self.advance(TimeDelta::minutes(1));
        (authenticator, turned_on.unwrap())
    }

    /// Confirms a person's identity with their password and a code.
    pub async fn confirm(&self, signed_in: &ActiveSession, code: &str) -> Result<(), Error> {
        self.keyring.confirm_identity(signed_in, &PASSWORD.to_owned().into(), code).await
    }

    /// A member with a second factor.
    async fn mia(&self) -> (TenantAdmin, ActiveSession, Authenticator, Vec<SecretString>) {
        let tenant = self.tenant("acme").await;
        self.person(&tenant, "Mia", Role::Member).await;
        let mia = self.at_the_console(MIA).await;
        let (authenticator, recovery_codes) = self.with_second_factor(&mia).await;
        (tenant, mia, authenticator, recovery_codes)
    }
}

async fn sign_in_from(
    keyring: keyring::Keyring,
    email: String,
    code: String,
    client: Client,
) -> Result<SessionToken, Error> {
    keyring
        .sign_in(Credentials { organization: None, email, password: PASSWORD.to_owned().into() }, Some(&code), &client)
        .await
}

const MIA: &str = "mia@acme.test";

/// Never a valid code.
const WRONG: &str = "not a code";

fn is_wrong_code<T>(result: Result<T, Error>) -> bool {
    codes(result) == [("code", "wrong".to_owned())]
}

/// The length of the block after too many guesses.
const AFTER_TOO_MANY: TimeDelta = TimeDelta::minutes(15);

/// Returns how many of twenty concurrent attempts, each from its own address, opened a session.
async fn sessions_opened_by_twenty_concurrent_attempts(app: &TestKeyring, code: &str) -> usize {
    let attempts: Vec<_> = (0..20)
        .map(|number| {
            let client = client(&format!("198.51.100.{number}"));
            tokio::spawn(sign_in_from(app.keyring.clone(), MIA.to_owned(), code.to_owned(), client))
        })
        .collect();
    let mut opened = 0;
    for attempt in attempts {
        opened += usize::from(attempt.await.unwrap().is_ok());
    }
    opened
}

async fn code_is_required_with_the_password(app: TestKeyring) {
    let (_, _, authenticator, _) = app.mia().await;
    let code = authenticator.code(app.now());
    assert!(matches!(app.sign_in(MIA, PASSWORD).await, Err(Error::CodeNeeded)));
    assert!(matches!(app.sign_in_with(MIA, " ").await, Err(Error::CodeNeeded)));
    let wrong_password =
        Credentials { organization: None, email: MIA.to_owned(), password: "a wrong password".to_owned().into() };
    let refused = app.keyring.sign_in(wrong_password, Some(&code), &client("203.0.113.7")).await;
    assert!(matches!(refused, Err(Error::WrongCredentials)), "told nothing of the code");
    assert!(is_wrong_code(app.sign_in_with(MIA, WRONG).await));
    let too_old = authenticator.code(app.now() - TimeDelta::minutes(1));
    assert!(is_wrong_code(app.sign_in_with(MIA, &too_old).await));
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    assert!(app.sign_in_with(MIA, &spaced).await.is_ok(), "as the app shows it");
}

async fn code_signs_in_once(app: TestKeyring) {
    let (_, _, authenticator, _) = app.mia().await;
    assert_eq!(sessions_opened_by_twenty_concurrent_attempts(&app, &authenticator.code(app.now())).await, 1);
    app.advance(AFTER_TOO_MANY);
    let code = authenticator.code(app.now());
    assert!(app.sign_in_with(MIA, &code).await.is_ok());
    assert!(is_wrong_code(app.sign_in_with(MIA, &code).await));
    let before = authenticator.code(app.now() - TimeDelta::seconds(30));
    assert!(is_wrong_code(app.sign_in_with(MIA, &before).await), "nor does an earlier one any more");
    app.advance(TimeDelta::seconds(30));
    assert!(app.sign_in_with(MIA, &authenticator.code(app.now())).await.is_ok());
}

async fn recovery_code_signs_in_once(app: TestKeyring) {
    let (_, mia, _, recovery_codes) = app.mia().await;
    assert_eq!(recovery_codes.len(), 10);
    let first = recovery_codes[0].expose_secret();
    assert_eq!(sessions_opened_by_twenty_concurrent_attempts(&app, first).await, 1);
    app.advance(AFTER_TOO_MANY);
    assert!(is_wrong_code(app.sign_in_with(MIA, first).await));
    assert_eq!(app.keyring.recovery_codes_left(&mia).await.unwrap(), 9);
    let by_hand = recovery_codes[1].expose_secret().replace('-', " ").to_uppercase();
    assert!(app.sign_in_with(MIA, &by_hand).await.is_ok(), "as people type it");
    let someone_elses = recovery_codes[2].expose_secret();
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    app.person(&tenant, "Ben", Role::Member).await;
    app.with_second_factor(&app.at_the_console("ben@acme.test").await).await;
    assert!(is_wrong_code(app.sign_in_with("ben@acme.test", someone_elses).await));
    assert_eq!(app.keyring.recovery_codes_left(&mia).await.unwrap(), 8);
}

async fn enrollment_code_cannot_be_reused(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let mia = app.at_the_console(MIA).await;
    let authenticator = Authenticator::of(&app.keyring.offer_second_factor(&mia).await.unwrap());
    let code = authenticator.code(app.now());
    app.keyring.turn_on_second_factor(&mia, &code).await.unwrap();
    assert!(is_wrong_code(app.sign_in_with(MIA, &code).await));
    assert!(is_wrong_code(app.confirm(&mia, &code).await));
    app.advance(TimeDelta::seconds(30));
    assert!(app.sign_in_with(MIA, &authenticator.code(app.now())).await.is_ok());
}

async fn turning_it_on_requires_a_code_of_the_secret(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let mia = app.at_the_console(MIA).await;
    let elsewhere = app.at_the_console(MIA).await;
    let unoffered = app.keyring.turn_on_second_factor(&mia, "123456").await;
    assert!(matches!(unoffered, Err(Error::Refused(_))), "nothing was offered to this session: {unoffered:?}");
    let authenticator = Authenticator::of(&app.keyring.offer_second_factor(&mia).await.unwrap());
    let again = Authenticator::of(&app.keyring.offer_second_factor(&mia).await.unwrap());
    assert_eq!(authenticator.secret(), again.secret(), "a session is offered the same until it is set up");
    let other = Authenticator::of(&app.keyring.offer_second_factor(&elsewhere).await.unwrap());
    assert_ne!(authenticator.secret(), other.secret());
    for code in [WRONG.to_owned(), String::new(), other.code(app.now())] {
        assert!(is_wrong_code(app.keyring.turn_on_second_factor(&mia, &code).await));
    }
    assert!(app.sign_in(MIA, PASSWORD).await.is_ok(), "an offer changes nothing");
    let stored = app.texts("SELECT offered_totp_secret FROM session WHERE offered_totp_secret IS NOT NULL").await;
    assert!(stored.len() == 2 && stored.iter().all(|value| value.starts_with("v1.")), "{stored:?}");
    app.keyring.turn_on_second_factor(&mia, &authenticator.code(app.now())).await.unwrap();
    let again = app.keyring.turn_on_second_factor(&mia, &authenticator.code(app.now())).await;
    assert!(matches!(again, Err(Error::Refused(_))), "it is on already: {again:?}");
}

async fn turning_it_on_ends_the_other_sessions(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let mine = app.sign_in(MIA, PASSWORD).await.unwrap();
    let other = app.sign_in(MIA, PASSWORD).await.unwrap();
    app.with_second_factor(&app.whose(&mine).await).await;
    assert!(app.keyring.signed_in(&other, home()).await.unwrap().is_none());
    assert!(app.whose(&mine).await.has_second_factor);
    let detail = app.texts("SELECT detail FROM audit_event WHERE action = 'second_factor.on'").await;
    assert_eq!(detail, [r#"{"sessions_ended":1}"#]);
}

async fn turning_it_off_deletes_the_recovery_codes(app: TestKeyring) {
    let (_, mia, ..) = app.mia().await;
    app.keyring.turn_off_second_factor(&mia).await.unwrap();
    assert!(!app.at_the_console(MIA).await.has_second_factor);
    assert_eq!(app.keyring.recovery_codes_left(&mia).await.unwrap(), 0);
    let again = app.keyring.turn_off_second_factor(&mia).await;
    assert!(matches!(again, Err(Error::Refused(_))), "there is nothing left to turn off");
    let renewed = app.keyring.renew_recovery_codes(&mia).await;
    assert!(matches!(renewed, Err(Error::Refused(_))));
}

async fn new_recovery_codes_end_the_old_ones(app: TestKeyring) {
    let (_, mia, _, old) = app.mia().await;
    let new = app.keyring.renew_recovery_codes(&mia).await.unwrap();
    assert_eq!((new.len(), app.keyring.recovery_codes_left(&mia).await.unwrap()), (10, 10));
    assert!(is_wrong_code(app.sign_in_with(MIA, old[1].expose_secret()).await));
    assert!(app.sign_in_with(MIA, new[0].expose_secret()).await.is_ok());
}

async fn guesses_at_codes_are_throttled(app: TestKeyring) {
    let (_, mia, authenticator, _) = app.mia().await;
    let guesses: Vec<_> = (0..20)
        .map(|number| {
            let client = client(&format!("198.51.100.{number}"));
            tokio::spawn(sign_in_from(app.keyring.clone(), MIA.to_owned(), WRONG.to_owned(), client))
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        looked_at += usize::from(matches!(guess.await.unwrap(), Err(Error::Invalid(_))));
    }
    assert_eq!(looked_at, 10, "from wherever they come, and in parallel as well");
    let right = authenticator.code(app.now());
    assert!(matches!(app.sign_in_with(MIA, &right).await, Err(Error::TooManyAttempts { .. })));
    assert!(matches!(app.confirm(&mia, &right).await, Err(Error::TooManyAttempts { .. })));
    let another = "another long password".to_owned();
    let changed = app.keyring.change_password(&mia, PASSWORD.to_owned().into(), another.into()).await;
    changed.expect("a client that guesses codes knows the password; changing it is the remedy");
    app.advance(AFTER_TOO_MANY);
    let code = authenticator.code(app.now());
    app.keyring.confirm_identity(&mia, &"another long password".into(), &code).await.expect("not forever");
}

async fn correct_codes_do_not_count_as_guesses(app: TestKeyring) {
    let (_, mia, authenticator, recovery_codes) = app.mia().await;
    for _ in 0..9 {
        assert!(is_wrong_code(app.confirm(&mia, WRONG).await));
    }
    for recovery_code in &recovery_codes[..4] {
        assert!(app.sign_in_with(MIA, recovery_code.expose_secret()).await.is_ok());
        assert!(app.sign_in_with(MIA, &authenticator.code(app.now())).await.is_ok());
        app.advance(TimeDelta::seconds(30));
    }
    assert!(is_wrong_code(app.confirm(&mia, WRONG).await), "the tenth");
    let eleventh = app.confirm(&mia, WRONG).await;
    assert!(matches!(eleventh, Err(Error::TooManyAttempts { .. })));
}

async fn tenant_can_require_mfa(app: TestKeyring) {
    let (tenant, mia, authenticator, _) = app.mia().await;
    let ana = app.admin(&tenant, "Ana").await;
    app.person(&tenant, "Ben", Role::Member).await;
    app.keyring.require_second_factor(&ana, true).await.unwrap();
    app.keyring.require_second_factor(&tenant, true).await.unwrap();

    let ben = app.at_the_console("ben@acme.test").await;
    assert!(ben.requires_mfa_enrollment());
    assert!(matches!(ben.as_key_holder(), Err(Error::MfaEnrollmentRequired { .. })));
    let ana_token = app.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let ana_again = app.whose(&ana_token).await;
    assert!(matches!(ana_again.as_admin(), Err(Error::MfaEnrollmentRequired { .. })), "the admin who required it, too");

    let off = app.keyring.turn_off_second_factor(&mia).await;
    assert!(matches!(off, Err(Error::Refused(_))));
    let mia = app.whose(&app.sign_in_with(MIA, &authenticator.code(app.now())).await.unwrap()).await;
    assert!(!mia.requires_mfa_enrollment() && mia.as_key_holder().is_ok());

    app.with_second_factor(&ana_again).await;
    let ana = app.whose(&ana_token).await.as_admin().unwrap();
    app.keyring.require_second_factor(&ana, false).await.unwrap();
    assert!(app.at_the_console("ben@acme.test").await.as_key_holder().is_ok());
    app.keyring.turn_off_second_factor(&mia).await.unwrap();
    let changed = "SELECT detail FROM audit_event WHERE action = 'tenant.changed' ORDER BY sequence";
    assert_eq!(app.texts(changed).await.len(), 2, "once on, once off");
}

async fn super_user_can_enroll(app: TestKeyring) {
    let email = "root@example.test";
    let new = NewPerson { email: email.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    let root = app.keyring.create_person(None, Role::SuperUser, new).await.unwrap();
    let tenant = app.tenant("acme").await;
    app.keyring.require_second_factor(&tenant, true).await.unwrap();
    let token = app.sign_in(email, PASSWORD).await.unwrap();
    app.keyring.enter_tenant(&app.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let inside = app.whose(&token).await;
    assert!(
        matches!(inside.as_admin(), Err(Error::MfaEnrollmentRequired { .. })),
        "what a tenant asks for binds its guests"
    );
    inside.as_super_user().unwrap();
    app.with_second_factor(&inside).await;
    let inside = app.whose(&token).await;
    inside.as_admin().unwrap();
    let off = app.keyring.turn_off_second_factor(&inside).await;
    assert!(matches!(off, Err(Error::Refused(_))), "not in there");
    app.keyring.leave_tenant(&inside).await.unwrap();
    app.keyring.turn_off_second_factor(&app.whose(&token).await).await.unwrap();
    let own = format!("SELECT action FROM audit_event WHERE chain_id = 'platform' AND subject = '{}'", root.id);
    let own = app.texts(&format!("{own} ORDER BY sequence")).await;
    assert_eq!(own, ["person.created", "session.opened", "second_factor.on", "second_factor.off"]);
}

async fn audit_log_records_it_without_a_secret(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    let mia = app.at_the_console(MIA).await;
    let offer = app.keyring.offer_second_factor(&mia).await.unwrap();
    let authenticator = Authenticator::of(&offer);
    let mut secrets = vec![PASSWORD.to_owned(), offer.secret.expose_secret().to_owned()];
    let mut shown = |app: &TestKeyring| {
        let code = authenticator.code(app.now());
        secrets.push(code.clone());
        code
    };
    let first_codes = app.keyring.turn_on_second_factor(&mia, &shown(&app)).await.unwrap();
    app.advance(TimeDelta::minutes(1));
    let token = app.sign_in_with(MIA, &shown(&app)).await.unwrap();
    app.sign_in_with(MIA, first_codes[0].expose_secret()).await.unwrap();
    app.advance(TimeDelta::minutes(1));
    app.confirm(&mia, &shown(&app)).await.unwrap();
    let second_codes = app.keyring.renew_recovery_codes(&mia).await.unwrap();
    let another = "another long password";
    app.keyring.change_password(&mia, PASSWORD.to_owned().into(), another.to_owned().into()).await.unwrap();
    app.advance(TimeDelta::minutes(1));
    app.keyring.turn_off_second_factor(&mia).await.unwrap();
    app.keyring.sign_out_everywhere(&mia).await.unwrap();

    let told = app.actions(&mia.person.id).await;
    let expected = [
        "person.created",
        "session.opened",
        "second_factor.on",
        "session.opened",
        "session.opened",
        "session.confirmed",
        "second_factor.codes_renewed",
        "person.password_changed",
        "second_factor.off",
        "session.all_ended",
    ];
    assert_eq!(told, expected);
    let how = "SELECT detail FROM audit_event WHERE action = 'session.opened' ORDER BY sequence";
    let how = app.texts(how).await;
    assert_eq!(how[1..], [r#"{"second_factor":"app"}"#, r#"{"second_factor":"recovery_code"}"#]);

    secrets.extend([another.to_owned(), token.expose().to_owned()]);
    secrets.extend(first_codes.iter().chain(&second_codes).map(|code| code.expose_secret().to_owned()));
    secrets.extend(secrets.clone().iter().map(|secret| secret.replace('-', "")));
    let rows = "SELECT actor || actor_name || action || subject || subject_name || COALESCE(address, '') || detail FROM audit_event";
    let rows = app.texts(rows).await.join("\n");
    for secret in secrets {
        assert!(!rows.contains(&secret), "{secret} stands in the audit log");
    }
    assert!(!rows.contains("argon2"), "nor does a password's hash");
}
