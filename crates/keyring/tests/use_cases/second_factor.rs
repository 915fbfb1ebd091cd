use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE32_NOPAD;
use domain::person::Role;
use hmac::{Hmac, KeyInit, Mac};
use keyring::{ActiveSession, Client, Credentials, Error, NewPerson, SecondFactorOffer, SessionToken, TenantAdmin};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use super::stage::{PASSWORD, Stage, client, codes, home};

on_both_databases! {
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
pub struct App(Vec<u8>);

impl App {
    fn of(offer: &SecondFactorOffer) -> Self {
        Self(BASE32_NOPAD.decode(offer.secret.expose_secret().as_bytes()).unwrap())
    }

    /// The secret as it was offered.
    pub fn secret(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// What it shows, by RFC 6238.
    pub fn code(&self, now: DateTime<Utc>) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).unwrap();
        mac.update(&(now.timestamp() / 30).to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[19] & 0x0f);
        let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

impl Stage {
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
    pub async fn with_second_factor(&self, signed_in: &ActiveSession) -> (App, Vec<SecretString>) {
        let offer = self.keyring.offer_second_factor(signed_in).await.unwrap();
        let app = App::of(&offer);
        let turned_on = self.keyring.turn_on_second_factor(signed_in, &app.code(self.now())).await;
        self.advance(TimeDelta::minutes(1));
        (app, turned_on.unwrap())
    }

    /// Confirms a person's identity with their password and a code.
    pub async fn confirm(&self, signed_in: &ActiveSession, code: &str) -> Result<(), Error> {
        self.keyring.confirm_identity(signed_in, &PASSWORD.to_owned().into(), code).await
    }

    /// A member with a second factor.
    async fn mia(&self) -> (TenantAdmin, ActiveSession, App, Vec<SecretString>) {
        let tenant = self.tenant("acme").await;
        self.person(&tenant, "Mia", Role::Member).await;
        let mia = self.at_the_console(MIA).await;
        let (app, recovery_codes) = self.with_second_factor(&mia).await;
        (tenant, mia, app, recovery_codes)
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

/// Not a code, at any time.
const WRONG: &str = "not a code";

fn is_wrong_code<T>(result: Result<T, Error>) -> bool {
    codes(result) == [("code", "wrong".to_owned())]
}

/// As long as guessing is stopped for.
const AFTER_TOO_MANY: TimeDelta = TimeDelta::minutes(15);

/// How many of twenty concurrent attempts opened a session, each from its own address.
async fn sessions_opened_by_twenty_concurrent_attempts(stage: &Stage, code: &str) -> usize {
    let attempts: Vec<_> = (0..20)
        .map(|number| {
            let client = client(&format!("198.51.100.{number}"));
            tokio::spawn(sign_in_from(stage.keyring.clone(), MIA.to_owned(), code.to_owned(), client))
        })
        .collect();
    let mut opened = 0;
    for attempt in attempts {
        opened += usize::from(attempt.await.unwrap().is_ok());
    }
    opened
}

async fn code_is_required_with_the_password(stage: Stage) {
    let (_, _, app, _) = stage.mia().await;
    let code = app.code(stage.now());
    assert!(matches!(stage.sign_in(MIA, PASSWORD).await, Err(Error::CodeNeeded)));
    assert!(matches!(stage.sign_in_with(MIA, " ").await, Err(Error::CodeNeeded)));
    let wrong_password =
        Credentials { organization: None, email: MIA.to_owned(), password: "a wrong password".to_owned().into() };
    let refused = stage.keyring.sign_in(wrong_password, Some(&code), &client("203.0.113.7")).await;
    assert!(matches!(refused, Err(Error::WrongCredentials)), "told nothing of the code");
    assert!(is_wrong_code(stage.sign_in_with(MIA, WRONG).await));
    let too_old = app.code(stage.now() - TimeDelta::minutes(1));
    assert!(is_wrong_code(stage.sign_in_with(MIA, &too_old).await));
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    assert!(stage.sign_in_with(MIA, &spaced).await.is_ok(), "as the app shows it");
}

async fn code_signs_in_once(stage: Stage) {
    let (_, _, app, _) = stage.mia().await;
    assert_eq!(sessions_opened_by_twenty_concurrent_attempts(&stage, &app.code(stage.now())).await, 1);
    stage.advance(AFTER_TOO_MANY);
    let code = app.code(stage.now());
    assert!(stage.sign_in_with(MIA, &code).await.is_ok());
    assert!(is_wrong_code(stage.sign_in_with(MIA, &code).await));
    let before = app.code(stage.now() - TimeDelta::seconds(30));
    assert!(is_wrong_code(stage.sign_in_with(MIA, &before).await), "nor does an earlier one any more");
    stage.advance(TimeDelta::seconds(30));
    assert!(stage.sign_in_with(MIA, &app.code(stage.now())).await.is_ok());
}

async fn recovery_code_signs_in_once(stage: Stage) {
    let (_, mia, _, recovery_codes) = stage.mia().await;
    assert_eq!(recovery_codes.len(), 10);
    let first = recovery_codes[0].expose_secret();
    assert_eq!(sessions_opened_by_twenty_concurrent_attempts(&stage, first).await, 1);
    stage.advance(AFTER_TOO_MANY);
    assert!(is_wrong_code(stage.sign_in_with(MIA, first).await));
    assert_eq!(stage.keyring.recovery_codes_left(&mia).await.unwrap(), 9);
    let by_hand = recovery_codes[1].expose_secret().replace('-', " ").to_uppercase();
    assert!(stage.sign_in_with(MIA, &by_hand).await.is_ok(), "as people type it");
    let someone_elses = recovery_codes[2].expose_secret();
    let tenant = stage.keyring.operator_for("acme").await.unwrap();
    stage.person(&tenant, "Ben", Role::Member).await;
    stage.with_second_factor(&stage.at_the_console("ben@acme.test").await).await;
    assert!(is_wrong_code(stage.sign_in_with("ben@acme.test", someone_elses).await));
    assert_eq!(stage.keyring.recovery_codes_left(&mia).await.unwrap(), 8);
}

async fn enrollment_code_cannot_be_reused(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let mia = stage.at_the_console(MIA).await;
    let app = App::of(&stage.keyring.offer_second_factor(&mia).await.unwrap());
    let code = app.code(stage.now());
    stage.keyring.turn_on_second_factor(&mia, &code).await.unwrap();
    assert!(is_wrong_code(stage.sign_in_with(MIA, &code).await));
    assert!(is_wrong_code(stage.confirm(&mia, &code).await));
    stage.advance(TimeDelta::seconds(30));
    assert!(stage.sign_in_with(MIA, &app.code(stage.now())).await.is_ok());
}

async fn turning_it_on_requires_a_code_of_the_secret(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let mia = stage.at_the_console(MIA).await;
    let elsewhere = stage.at_the_console(MIA).await;
    let unoffered = stage.keyring.turn_on_second_factor(&mia, "123456").await;
    assert!(matches!(unoffered, Err(Error::Refused(_))), "nothing was offered to this session: {unoffered:?}");
    let app = App::of(&stage.keyring.offer_second_factor(&mia).await.unwrap());
    let again = App::of(&stage.keyring.offer_second_factor(&mia).await.unwrap());
    assert_eq!(app.secret(), again.secret(), "a session is offered the same until it is set up");
    let other = App::of(&stage.keyring.offer_second_factor(&elsewhere).await.unwrap());
    assert_ne!(app.secret(), other.secret());
    for code in [WRONG.to_owned(), String::new(), other.code(stage.now())] {
        assert!(is_wrong_code(stage.keyring.turn_on_second_factor(&mia, &code).await));
    }
    assert!(stage.sign_in(MIA, PASSWORD).await.is_ok(), "an offer changes nothing");
    let stored = stage.texts("SELECT offered_totp_secret FROM session WHERE offered_totp_secret IS NOT NULL").await;
    assert!(stored.len() == 2 && stored.iter().all(|value| value.starts_with("v1.")), "{stored:?}");
    stage.keyring.turn_on_second_factor(&mia, &app.code(stage.now())).await.unwrap();
    let again = stage.keyring.turn_on_second_factor(&mia, &app.code(stage.now())).await;
    assert!(matches!(again, Err(Error::Refused(_))), "it is on already: {again:?}");
}

async fn turning_it_on_ends_the_other_sessions(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let mine = stage.sign_in(MIA, PASSWORD).await.unwrap();
    let other = stage.sign_in(MIA, PASSWORD).await.unwrap();
    stage.with_second_factor(&stage.whose(&mine).await).await;
    assert!(stage.keyring.signed_in(&other, home()).await.unwrap().is_none());
    assert!(stage.whose(&mine).await.has_second_factor);
    let detail = stage.texts("SELECT detail FROM audit_event WHERE action = 'second_factor.on'").await;
    assert_eq!(detail, [r#"{"sessions_ended":1}"#]);
}

async fn turning_it_off_deletes_the_recovery_codes(stage: Stage) {
    let (_, mia, ..) = stage.mia().await;
    stage.keyring.turn_off_second_factor(&mia).await.unwrap();
    assert!(!stage.at_the_console(MIA).await.has_second_factor);
    assert_eq!(stage.keyring.recovery_codes_left(&mia).await.unwrap(), 0);
    let again = stage.keyring.turn_off_second_factor(&mia).await;
    assert!(matches!(again, Err(Error::Refused(_))), "there is nothing left to turn off");
    let renewed = stage.keyring.renew_recovery_codes(&mia).await;
    assert!(matches!(renewed, Err(Error::Refused(_))));
}

async fn new_recovery_codes_end_the_old_ones(stage: Stage) {
    let (_, mia, _, old) = stage.mia().await;
    let new = stage.keyring.renew_recovery_codes(&mia).await.unwrap();
    assert_eq!((new.len(), stage.keyring.recovery_codes_left(&mia).await.unwrap()), (10, 10));
    assert!(is_wrong_code(stage.sign_in_with(MIA, old[1].expose_secret()).await));
    assert!(stage.sign_in_with(MIA, new[0].expose_secret()).await.is_ok());
}

async fn guesses_at_codes_are_throttled(stage: Stage) {
    let (_, mia, app, _) = stage.mia().await;
    let guesses: Vec<_> = (0..20)
        .map(|number| {
            let client = client(&format!("198.51.100.{number}"));
            tokio::spawn(sign_in_from(stage.keyring.clone(), MIA.to_owned(), WRONG.to_owned(), client))
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        looked_at += usize::from(matches!(guess.await.unwrap(), Err(Error::Invalid(_))));
    }
    assert_eq!(looked_at, 10, "from wherever they come, and in parallel as well");
    let right = app.code(stage.now());
    assert!(matches!(stage.sign_in_with(MIA, &right).await, Err(Error::TooManyAttempts { .. })));
    assert!(matches!(stage.confirm(&mia, &right).await, Err(Error::TooManyAttempts { .. })));
    let another = "another long password".to_owned();
    let changed = stage.keyring.change_password(&mia, PASSWORD.to_owned().into(), another.into()).await;
    changed.expect("a client that guesses codes knows the password; changing it is the remedy");
    stage.advance(AFTER_TOO_MANY);
    let code = app.code(stage.now());
    stage.keyring.confirm_identity(&mia, &"another long password".into(), &code).await.expect("not forever");
}

async fn correct_codes_do_not_count_as_guesses(stage: Stage) {
    let (_, mia, app, recovery_codes) = stage.mia().await;
    for _ in 0..9 {
        assert!(is_wrong_code(stage.confirm(&mia, WRONG).await));
    }
    for recovery_code in &recovery_codes[..4] {
        assert!(stage.sign_in_with(MIA, recovery_code.expose_secret()).await.is_ok());
        assert!(stage.sign_in_with(MIA, &app.code(stage.now())).await.is_ok());
        stage.advance(TimeDelta::seconds(30));
    }
    assert!(is_wrong_code(stage.confirm(&mia, WRONG).await), "the tenth");
    let eleventh = stage.confirm(&mia, WRONG).await;
    assert!(matches!(eleventh, Err(Error::TooManyAttempts { .. })));
}

async fn tenant_can_require_mfa(stage: Stage) {
    let (tenant, mia, app, _) = stage.mia().await;
    let ana = stage.admin(&tenant, "Ana").await;
    stage.person(&tenant, "Ben", Role::Member).await;
    stage.keyring.require_second_factor(&ana, true).await.unwrap();
    stage.keyring.require_second_factor(&tenant, true).await.unwrap();

    let ben = stage.at_the_console("ben@acme.test").await;
    assert!(ben.requires_mfa_enrollment());
    assert!(matches!(ben.as_key_holder(), Err(Error::MfaEnrollmentRequired { .. })));
    let ana_token = stage.sign_in("ana@acme.test", PASSWORD).await.unwrap();
    let ana_again = stage.whose(&ana_token).await;
    assert!(matches!(ana_again.as_admin(), Err(Error::MfaEnrollmentRequired { .. })), "the admin who required it, too");

    let off = stage.keyring.turn_off_second_factor(&mia).await;
    assert!(matches!(off, Err(Error::Refused(_))));
    let mia = stage.whose(&stage.sign_in_with(MIA, &app.code(stage.now())).await.unwrap()).await;
    assert!(!mia.requires_mfa_enrollment() && mia.as_key_holder().is_ok());

    stage.with_second_factor(&ana_again).await;
    let ana = stage.whose(&ana_token).await.as_admin().unwrap();
    stage.keyring.require_second_factor(&ana, false).await.unwrap();
    assert!(stage.at_the_console("ben@acme.test").await.as_key_holder().is_ok());
    stage.keyring.turn_off_second_factor(&mia).await.unwrap();
    let changed = "SELECT detail FROM audit_event WHERE action = 'tenant.changed' ORDER BY sequence";
    assert_eq!(stage.texts(changed).await.len(), 2, "once on, once off");
}

async fn super_user_can_enroll(stage: Stage) {
    let email = "root@example.test";
    let new = NewPerson { email: email.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    let root = stage.keyring.create_person(None, Role::SuperUser, new).await.unwrap();
    let tenant = stage.tenant("acme").await;
    stage.keyring.require_second_factor(&tenant, true).await.unwrap();
    let token = stage.sign_in(email, PASSWORD).await.unwrap();
    stage.keyring.enter_tenant(&stage.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let inside = stage.whose(&token).await;
    assert!(
        matches!(inside.as_admin(), Err(Error::MfaEnrollmentRequired { .. })),
        "what a tenant asks for binds its guests"
    );
    inside.as_super_user().unwrap();
    stage.with_second_factor(&inside).await;
    let inside = stage.whose(&token).await;
    inside.as_admin().unwrap();
    let off = stage.keyring.turn_off_second_factor(&inside).await;
    assert!(matches!(off, Err(Error::Refused(_))), "not in there");
    stage.keyring.leave_tenant(&inside).await.unwrap();
    stage.keyring.turn_off_second_factor(&stage.whose(&token).await).await.unwrap();
    let own = format!("SELECT action FROM audit_event WHERE chain_id = 'platform' AND subject = '{}'", root.id);
    let own = stage.texts(&format!("{own} ORDER BY sequence")).await;
    assert_eq!(own, ["person.created", "session.opened", "second_factor.on", "second_factor.off"]);
}

async fn audit_log_records_it_without_a_secret(stage: Stage) {
    let tenant = stage.tenant("acme").await;
    stage.person(&tenant, "Mia", Role::Member).await;
    let mia = stage.at_the_console(MIA).await;
    let offer = stage.keyring.offer_second_factor(&mia).await.unwrap();
    let app = App::of(&offer);
    let mut secrets = vec![PASSWORD.to_owned(), offer.secret.expose_secret().to_owned()];
    let mut shown = |stage: &Stage| {
        let code = app.code(stage.now());
        secrets.push(code.clone());
        code
    };
    let first_codes = stage.keyring.turn_on_second_factor(&mia, &shown(&stage)).await.unwrap();
    stage.advance(TimeDelta::minutes(1));
    let token = stage.sign_in_with(MIA, &shown(&stage)).await.unwrap();
    stage.sign_in_with(MIA, first_codes[0].expose_secret()).await.unwrap();
    stage.advance(TimeDelta::minutes(1));
    stage.confirm(&mia, &shown(&stage)).await.unwrap();
    let second_codes = stage.keyring.renew_recovery_codes(&mia).await.unwrap();
    let another = "another long password";
    stage.keyring.change_password(&mia, PASSWORD.to_owned().into(), another.to_owned().into()).await.unwrap();
    stage.advance(TimeDelta::minutes(1));
    stage.keyring.turn_off_second_factor(&mia).await.unwrap();
    stage.keyring.sign_out_everywhere(&mia).await.unwrap();

    let told = stage.actions(&mia.person.id).await;
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
    let how = stage.texts(how).await;
    assert_eq!(how[1..], [r#"{"second_factor":"app"}"#, r#"{"second_factor":"recovery_code"}"#]);

    secrets.extend([another.to_owned(), token.expose().to_owned()]);
    secrets.extend(first_codes.iter().chain(&second_codes).map(|code| code.expose_secret().to_owned()));
    secrets.extend(secrets.clone().iter().map(|secret| secret.replace('-', "")));
    let rows = "SELECT actor || actor_name || action || subject || subject_name || COALESCE(address, '') || detail FROM audit_event";
    let rows = stage.texts(rows).await.join("\n");
    for secret in secrets {
        assert!(!rows.contains(&secret), "{secret} stands in the audit log");
    }
    assert!(!rows.contains("argon2"), "nor does a password's hash");
}
