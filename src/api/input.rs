use std::marker::PhantomData;

use serde_json::{Value, json};

use super::{Form, Resource};
use crate::{auth, db::Stamp, openapi::Components};

/// A kind of request body: how its form is read and described.
pub trait Input: Sized + 'static {
    /// Whether fields that are not named get their defaults; otherwise they keep their values.
    const WHOLE: bool = true;

    /// Statuses of errors that its fields can lead to, beside 400.
    const REFUSALS: &[u16] = &[];

    /// Whether it has a field `password`, which is hashed before the transaction.
    const HAS_PASSWORD: bool = false;

    /// The name of the body's schema.
    fn name() -> String;

    /// Reads the fields of a form.
    fn read(form: &mut Form) -> Self;

    /// A body that a client may send as it is. That of a resource is made of the example of what is shown.
    fn example() -> Option<Value> {
        None
    }

    /// The body's schema, recorded by reading an empty form.
    fn schema(_: &mut Components) -> Value {
        let read = |form: &mut Form| drop(Self::read(form));
        let mut schema = Form::described(Self::WHOLE, read).into_schema();
        if let Some(example) = Self::example() {
            schema["examples"] = json!([example]);
        }
        schema
    }
}

/// POST: creates an object.
pub struct Create<R>(PhantomData<R>);

/// PUT: replaces the whole object.
pub struct Update<R>(PhantomData<R>);

/// PATCH: changes the named fields.
pub struct Patch<R>(PhantomData<R>);

macro_rules! input_of_resource {
    ($input:ident, $whole:literal, $id:expr) => {
        impl<R: Resource> Input for $input<R> {
            const WHOLE: bool = $whole;
            const HAS_PASSWORD: bool = R::HAS_PASSWORD;

            fn name() -> String {
                format!("{}{}", R::NAME, stringify!($input))
            }

            fn read(form: &mut Form) -> Self {
                read::<R>(form, $id, true);
                Self(PhantomData)
            }

            fn schema(components: &mut Components) -> Value {
                let described =
                    |is_staff| Form::described($whole, |form| read::<R>(form, $id, is_staff));
                let shown = components.schema::<R::Body>();
                let shown = components.get(&shown).cloned().unwrap_or_default();
                described(true)
                    .compared(&described(false), "Read-only for others than staff.")
                    .explained(&shown)
            }
        }
    };
}

input_of_resource!(Create, true, None);
input_of_resource!(Update, true, Some(0));
input_of_resource!(Patch, false, Some(0));

/// Runs `R::read` on a form with no known references, only to record which fields it accepts.
fn read<R: Resource>(form: &mut Form, id: Option<i64>, is_staff: bool) {
    let by = auth::User::nobody(is_staff);
    let mut draft = R::blank(&by, Stamp::FIRST);
    R::read(form, &mut draft, &mut R::Known::default(), &by, id);
}
