//! One URL and its methods, with what HTTP and DRF's clients expect of every URL.

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route,
    dev::{AppService, HttpServiceFactory},
    http::{Method, header},
    middleware::from_fn,
    web,
};
use serde::Serialize;

use crate::{error::Error, middleware::accepts_json, query::NoParams};

/// A resource of the API: its path with and without the trailing slash, HEAD wherever there is GET, OPTIONS, and 405 for
/// every other method.
pub struct Endpoint {
    path: &'static str,
    about: About,
    routes: Vec<(Method, Route)>,
}

/// The body of an OPTIONS answer, as DRF's metadata class writes it.
#[derive(Clone, Copy, Serialize)]
struct About {
    name: &'static str,
    description: &'static str,
    renders: [&'static str; 1],
    parses: [&'static str; 1],
}

const JSON: [&str; 1] = ["application/json"];

impl Endpoint {
    /// `path` is the canonical one, with the trailing slash.
    pub fn new(path: &'static str, name: &'static str, description: &'static str) -> Self {
        Self {
            path,
            about: About {
                name,
                description,
                renders: JSON,
                parses: JSON,
            },
            routes: Vec::new(),
        }
    }

    /// Answers GET, and HEAD, by `handler`.
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::GET, handler.clone())
            .method(Method::HEAD, handler)
    }

    fn method<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let guard = web::method(method.clone());
        let route = guard.to(handler).wrap(from_fn(accepts_json));
        self.routes.push((method, route));
        self
    }

    fn resource(self) -> Resource {
        let (path, about) = (self.path, self.about);
        let methods = self
            .routes
            .iter()
            .map(|(method, _)| method.as_str())
            .chain(["OPTIONS"]);
        let allow = methods.collect::<Vec<_>>().join(", ");
        let refused = allow.clone();
        let options = move |_: NoParams| {
            let response = HttpResponse::Ok()
                .insert_header((header::ALLOW, allow.as_str()))
                .json(about);
            async move { response }
        };
        self.method(Method::OPTIONS, options)
            .routes
            .into_iter()
            .fold(
                web::resource([path, path.trim_end_matches('/')]),
                |resource, (_, route)| resource.route(route),
            )
            .default_service(web::to(move |request: HttpRequest| {
                let method = request.method().clone();
                let error = Error::MethodNotAllowed {
                    method,
                    allow: refused.clone(),
                };
                async move { Err::<HttpResponse, _>(error) }
            }))
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        self.resource().register(config);
    }
}
