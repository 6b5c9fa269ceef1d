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

use crate::{
    auth::{Guard, Guarded},
    error::Error,
    middleware::{Renders, Route as Pattern, accepts, admit, hooked, tagged, throttle},
    openapi::{Describe, Op, Operation},
    query::NoParams,
};

/// One URL: its path with and without the trailing slash, HEAD for every GET, OPTIONS, and 405 for every other method.
pub struct Endpoint {
    /// The canonical path: below `/api/` with the trailing slash.
    path: Arc<str>,
    about: About,
    routes: Vec<(Method, Route)>,
    operations: Vec<Described>,
    /// The guard of OPTIONS, which is that of GET, or else of the first method.
    guarded: Option<fn(Route, Renders) -> Route>,
    /// It has a parameter `format` of its own.
    reads_format: bool,
}

/// One method of a URL, for the OpenAPI description.
pub struct Described {
    pub method: Method,
    pub renders: &'static [&'static str],
    pub op: Op,
    /// Adds the parts of the handler's argument and result types.
    pub describe: fn(&mut Operation),
}

/// The body of an OPTIONS answer, as DRF's metadata class writes it.
#[derive(Clone, Serialize)]
struct About {
    name: String,
    /// The summary of the first method.
    description: String,
    renders: &'static [&'static str],
    parses: [&'static str; 1],
}

const JSON: &str = "application/json";

impl Endpoint {
    /// An endpoint without methods yet. `name` is its title in the answer to OPTIONS.
    pub fn new(name: impl Into<String>, path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            about: About {
                name: name.into(),
                description: String::new(),
                renders: &[JSON],
                parses: [JSON],
            },
            routes: Vec::new(),
            operations: Vec::new(),
            guarded: None,
            reads_format: false,
        }
    }

    /// Sets the media types of the answers; a client without a preference gets the first. Call it before the methods are added.
    pub fn renders(mut self, media_types: &'static [&'static str]) -> Self {
        self.about.renders = media_types;
        self
    }

    /// Has a parameter `format` of its own, which says more than that of every path. It is said before the handlers.
    pub fn reads_format(mut self) -> Self {
        self.reads_format = true;
        self
    }

    /// What a handler of this has to be accepted in.
    fn offer(&self, media_types: &'static [&'static str]) -> Renders {
        Renders {
            media_types,
            reads_format: self.reads_format,
        }
    }

    /// Answers GET, and HEAD likewise.
    pub fn get<F, Args>(self, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        let name = op.id();
        self.describe::<F, Args>(Method::GET, op)
            .route(Method::GET, name.clone(), handler.clone())
            .route(Method::HEAD, name, handler)
    }

    pub fn post<F, Args>(self, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.on(Method::POST, op, handler)
    }

    pub fn put<F, Args>(self, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.on(Method::PUT, op, handler)
    }

    pub fn patch<F, Args>(self, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.on(Method::PATCH, op, handler)
    }

    pub fn delete<F, Args>(self, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.on(Method::DELETE, op, handler)
    }

    fn on<F, Args>(self, method: Method, op: Op, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + Describe + 'static,
    {
        let name = op.id();
        self.describe::<F, Args>(method.clone(), op)
            .route(method, name, handler)
    }

    fn describe<F, Args>(mut self, method: Method, op: Op) -> Self
    where
        F: Handler<Args>,
        Args: Guarded,
        F::Output: Describe,
    {
        if self.operations.is_empty() {
            self.about.description.clone_from(&op.summary);
        }
        self.operations.push(Described {
            method,
            renders: self.about.renders,
            op,
            describe: |operation| {
                Args::describe(operation);
                F::Output::describe(operation);
            },
        });
        self
    }

    /// The canonical path and its methods, for the OpenAPI description.
    pub fn described(self) -> (Arc<str>, Vec<Described>) {
        (self.path, self.operations)
    }

    fn route<F, Args>(mut self, method: Method, name: Arc<str>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Guarded + 'static,
        F::Output: Responder + 'static,
    {
        if method == Method::GET {
            self.guarded = Some(guarded::<Args::Guard>);
        }
        self.guarded.get_or_insert(guarded::<Args::Guard>);
        let mut route = web::method(method.clone()).to(handler);
        if matches!(method, Method::GET | Method::HEAD) {
            route = route.wrap(from_fn(tagged));
        }
        let route = route.wrap(from_fn(move |request, next| {
            hooked(name.clone(), request, next)
        }));
        let route = guarded::<Args::Guard>(route, self.offer(self.about.renders));
        self.routes.push((method, route));
        self
    }

    fn resource(self) -> impl HttpServiceFactory {
        let offer = self.offer(&[JSON]);
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
        let options = self.guarded.map(|guarded| guarded(options, offer));
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

/// Wraps a route in the steps before its handler. The last line is the outermost step.
fn guarded<G: Guard>(route: Route, renders: Renders) -> Route {
    route
        .wrap(from_fn(throttle::<G, _>))
        .wrap(from_fn(admit::<G, _>))
        .wrap(from_fn(move |request: ServiceRequest, next: Next<_>| {
            G::CACHING.say(request.request());
            accepts(renders, request, next)
        }))
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        self.resource().register(config);
    }
}
