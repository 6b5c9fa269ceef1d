use std::time::Duration;

use roster::{
    auth::{Claims, Identity, Keys, PasswordHash, Secret, TokenType, jti_hash, new_jti},
    db::{Db, Error, Stamp},
    models::{NewRefreshToken, Next, Origin, SignIn, User, UserDraft},
};

/// A user who has signed in, made when there is none of that name, and an access token of the session.
pub fn signed_in(db: &Db, draft: UserDraft, secret: &str) -> (Identity, String) {
    const LIFETIME: Duration = Duration::from_hours(24);
    let is_staff = draft.is_staff;
    let now = Stamp::now();
    let exp = now.seconds() + i64::try_from(LIFETIME.as_secs()).unwrap();
    let identity = db
        .write_blocking(move |conn| {
            let user = match User::named(conn, &draft.username)? {
                Some(user) => user.id,
                None => draft.insert(conn, None, &PasswordHash::unusable())?,
            };
            let sign_in = SignIn {
                user_id: user,
                checked: PasswordHash::unusable(),
                renewed: None,
                origin: Origin::default(),
            };
            let expires_at = Stamp::from_seconds(exp);
            let next = Next {
                token: NewRefreshToken {
                    jti_hash: jti_hash(&new_jti().unwrap()),
                    expires_at,
                },
                until: expires_at,
            };
            let session = sign_in.begin(conn, &next, now)?.unwrap();
            Ok::<_, Error>(Identity { user, session })
        })
        .unwrap();
    let claims = Claims {
        token_type: TokenType::Access,
        exp,
        iat: now.seconds(),
        jti: new_jti().unwrap(),
        user_id: identity.user.to_string(),
        sid: identity.session.to_string(),
        is_staff,
    };
    let keys = Keys::new(&Secret::new(secret.to_owned()).unwrap());
    (identity, keys.sign(&claims).unwrap())
}
