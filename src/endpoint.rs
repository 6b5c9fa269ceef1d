//! One URL and its methods, with what HTTP and DRF's clients expect of every URL.

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Resource, Responder, Route,
    dev::{AppService, HttpServiceFactory, ServiceRequest},
    http::{Method, header},
    middleware::{Next, from_fn},
    web,
};
use serde::Serialize;

use crate::{
    auth::{Guard, Guarded},
    error::Error,
    middleware::{Route as Pattern, accepts_json, admit, hooked, tagged, throttle},
    query::NoParams,
};

/// A resource of the API: its path with and without the trailing slash, HEAD wherever there is GET, OPTIONS, and 405 for
/// every other method.
pub struct Endpoint {
    path: &'static str,
    about: About,
    routes: Vec<(Method, Route)>,
    /// How OPTIONS is guarded: as the first of the methods.
    guarded: Option<fn(Route) -> Route>,
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
            guarded: None,
        }
    }

    /// Answers GET, and HEAD, by `handler`.
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::GET, handler.clone())
            .method(Method::HEAD, handler)
    }

    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::POST, handler)
    }

    pub fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::PUT, handler)
    }

    pub fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::PATCH, handler)
    }

    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::DELETE, handler)
    }

    fn method<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        self.guarded.get_or_insert(guarded::<Args::Guard>);
        let name = name_of::<F>();
        let mut route = web::method(method.clone()).to(handler);
        if matches!(method, Method::GET | Method::HEAD) {
            route = route.wrap(from_fn(tagged));
        }
        let route = route.wrap(from_fn(move |request, next| hooked(name, request, next)));
        self.routes.push((method, guarded::<Args::Guard>(route)));
        self
    }

    fn resource(self) -> impl HttpServiceFactory {
        let (path, about) = (self.path, self.about);
        let methods = self
            .routes
            .iter()
            .map(|(method, _)| method.as_str())
            .chain(["OPTIONS"]);
        let allow = methods.collect::<Vec<_>>().join(", ");
        let refused = allow.clone();
        let options = web::method(Method::OPTIONS).to(move |_: NoParams| {
            let response = HttpResponse::Ok()
                .insert_header((header::ALLOW, allow.as_str()))
                .json(about);
            async move { response }
        });
        let options = self.guarded.map(|guarded| guarded(options));
        self.routes
            .into_iter()
            .map(|(_, route)| route)
            .chain(options)
            .fold(
                web::resource([path, path.trim_end_matches('/')]),
                Resource::route,
            )
            .default_service(web::to(move |request: HttpRequest| {
                let method = request.method().clone();
                let error = Error::MethodNotAllowed {
                    method,
                    allow: refused.clone(),
                };
                async move { Err::<HttpResponse, _>(error) }
            }))
            .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
                request.extensions_mut().insert(Pattern(path));
                next.call(request)
            }))
    }
}

/// `list_developers` of `roster::api::developers::list_developers`.
fn name_of<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    path.rsplit("::").next().unwrap_or(path)
}

/// What a request goes through before the handler, the last line first.
fn guarded<G: Guard>(route: Route) -> Route {
    route
        .wrap(from_fn(throttle::<G, _>))
        .wrap(from_fn(admit::<G, _>))
        .wrap(from_fn(accepts_json))
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        self.resource().register(config);
    }
}
