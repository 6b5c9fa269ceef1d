//! One URL and its methods, with the behaviour that every URL has.

use std::sync::Arc;

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Resource, Responder, Route,
    dev::{AppService, HttpServiceFactory, ServiceRequest},
    http::{Method, header},
    middleware::{Next, from_fn},
    web,
};
use serde::Serialize;
use utoipa::openapi::HttpMethod;

use crate::{
    auth::{Guard, Guarded},
    error::Error,
    middleware::{Route as Pattern, accepts, admit, hooked, tagged, throttle},
    openapi::{Describe, Operation},
    query::NoParams,
};

/// One URL: its path with and without the trailing slash, HEAD for every GET, OPTIONS, and 405 for every other method.
pub struct Endpoint {
    /// The canonical path: below `/api/` with the trailing slash.
    path: Arc<str>,
    about: About,
    routes: Vec<(Method, Route)>,
    operations: Vec<Described>,
    /// The guard of OPTIONS, which is that of the first method.
    guarded: Option<fn(Route, &'static [&'static str]) -> Route>,
}

/// One method of a URL, for the OpenAPI description.
pub struct Described {
    pub method: HttpMethod,
    pub renders: &'static [&'static str],
    /// From the handler's attribute and doc comment.
    pub attribute: utoipa::openapi::path::Operation,
    /// Adds the parts of the handler's argument and result types.
    pub describe: fn(&mut Operation),
}

/// The body of an OPTIONS answer, as DRF's metadata class writes it.
#[derive(Clone, Serialize)]
struct About {
    name: &'static str,
    /// The first paragraph of the first handler's doc comment.
    description: String,
    renders: &'static [&'static str],
    parses: [&'static str; 1],
}

const JSON: &str = "application/json";

impl Endpoint {
    pub fn new(name: &'static str) -> Self {
        Self {
            path: Arc::default(),
            about: About {
                name,
                description: String::new(),
                renders: &[JSON],
                parses: [JSON],
            },
            routes: Vec::new(),
            operations: Vec::new(),
            guarded: None,
        }
    }

    /// Sets the media types of the answers; a client without a preference gets the first. Call it before [`on`](Self::on).
    pub fn renders(mut self, media_types: &'static [&'static str]) -> Self {
        self.about.renders = media_types;
        self
    }

    /// Adds a handler for the method in its attribute, and for HEAD when that is GET. All handlers have the same path.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "handlers are passed so everywhere"
    )]
    pub fn on<F, Args, P>(mut self, handler: F, _attribute: P) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
        P: utoipa::Path,
    {
        let attribute = P::operation();
        if self.operations.is_empty() {
            self.path = P::path().into();
            self.about.description = attribute.summary.clone().unwrap_or_default();
        }
        debug_assert_eq!(*self.path, P::path(), "one endpoint has one path");
        for method in P::methods() {
            self.operations.push(Described {
                method: method.clone(),
                renders: self.about.renders,
                attribute: attribute.clone(),
                describe: |operation| {
                    Args::describe(operation);
                    F::Output::describe(operation);
                },
            });
            let method = standard(&method);
            if method == Method::GET {
                self = self.route(Method::GET, handler.clone());
                self = self.route(Method::HEAD, handler.clone());
            } else {
                self = self.route(method, handler.clone());
            }
        }
        self
    }

    /// The canonical path and its methods, for the OpenAPI description.
    pub fn described(self) -> (Arc<str>, Vec<Described>) {
        (self.path, self.operations)
    }

    fn route<F, Args>(mut self, method: Method, handler: F) -> Self
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
        let route = guarded::<Args::Guard>(route, self.about.renders);
        self.routes.push((method, route));
        self
    }

    fn resource(self) -> impl HttpServiceFactory {
        let (path, about) = (self.path, self.about);
        let bare = path.trim_end_matches('/');
        let paths = [format!("{bare}/"), bare.to_owned()];
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
                .json(&about);
            async move { response }
        });
        let options = self.guarded.map(|guarded| guarded(options, &[JSON]));
        self.routes
            .into_iter()
            .map(|(_, route)| route)
            .chain(options)
            .fold(web::resource(paths), Resource::route)
            .default_service(web::to(move |request: HttpRequest| {
                let method = request.method().clone();
                let error = Error::MethodNotAllowed {
                    method,
                    allow: refused.clone(),
                };
                async move { Err::<HttpResponse, _>(error) }
            }))
            .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
                request.extensions_mut().insert(Pattern(path.clone()));
                next.call(request)
            }))
    }
}

/// utoipa's method as actix-web's.
fn standard(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// `list_developers` of `roster::api::developers::list_developers`.
fn name_of<F>() -> &'static str {
    let path = std::any::type_name::<F>();
    path.rsplit("::").next().unwrap_or(path)
}

/// Wraps a route in the steps before its handler. The last line is the outermost step.
fn guarded<G: Guard>(route: Route, renders: &'static [&'static str]) -> Route {
    route
        .wrap(from_fn(throttle::<G, _>))
        .wrap(from_fn(admit::<G, _>))
        .wrap(from_fn(move |request, next| {
            accepts(renders, request, next)
        }))
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        self.resource().register(config);
    }
}
