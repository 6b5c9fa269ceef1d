//! The query string.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::{
    error::{Error, FieldErrors},
    openapi::{Describe, Operation},
};

/// The parameter that every path takes: in what form the answer is wanted.
pub const FORMAT: &str = "format";

/// The decoded pairs of a query string, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    pub fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a parameter that means one thing: the last one given, as in Django.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// 400 for every parameter that is none of these.
    pub fn known(&self, names: &[&str]) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        let is_known = |name: &str| name == FORMAT || names.contains(&name);
        for (name, _) in self.iter().filter(|(name, _)| !is_known(name)) {
            if errors.is_full() {
                break;
            }
            let known = names.iter().map(|name| (*name).to_owned());
            errors.add(name, &unknown(name, known));
        }
        errors.into_result()
    }

    /// The same parameters with `name` set to `value` alone, encoded.
    pub fn with(&self, name: &str, value: &str) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.iter().filter(|(known, _)| *known != name))
            .append_pair(name, value)
            .finish()
    }
}

/// Extractor for what takes no query parameters: any is an error, so that a misspelt one is noticed.
#[derive(Debug, Clone, Copy)]
pub struct NoParams;

impl FromRequest for NoParams {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let params = Params::parse(request.query_string());
        ready(params.known(&[]).map(|()| Self))
    }
}

impl Describe for NoParams {
    fn describe(operation: &mut Operation) {
        operation.refuses(&[400]);
    }
}

/// The message for a parameter that is not known, with the one that was probably meant.
pub(super) fn unknown(name: &str, known: impl Iterator<Item = String>) -> String {
    const MESSAGE: &str = "Unknown query parameter.";
    /// A longer name is near to none, and comparing it would cost more than the rest of the request.
    const LONGEST: usize = 64;
    let near = known
        .take_while(|_| name.len() <= LONGEST)
        .map(|known| (strsim::osa_distance(&name.to_lowercase(), &known), known))
        .filter(|(distance, known)| distance * 4 <= known.len())
        .min();
    match near {
        Some((_, known)) => format!("{MESSAGE} Did you mean \"{known}\"?"),
        None => MESSAGE.to_owned(),
    }
}
