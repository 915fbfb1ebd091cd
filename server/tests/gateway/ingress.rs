//! The configuration that ingress-nginx generates from the annotations that are shipped, as far as they concern it. See
//! `rootfs/etc/nginx/template/nginx.tmpl` in its repository.

use std::{fmt::Write, net::SocketAddr};

const LATCHKEY_ADDRESS: &str = "latchkey.latchkey.svc.cluster.local:3000";

/// Returns a part of the `http` block.
pub fn generate(ingress: &str, latchkey: &str, api: SocketAddr, listen: SocketAddr) -> String {
    let annotation = |name: &str| annotation(ingress, name);
    let auth_url = annotation("auth-url");
    assert!(auth_url.contains(LATCHKEY_ADDRESS), "{auth_url}");
    assert_eq!(annotation("enable-cors"), "true");
    format!(
        r#"
map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
server {{
    listen {listen};
    location = /_external-auth {{
        internal;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-Forwarded-Proto "";
        proxy_set_header X-Request-ID $request_id;
        proxy_set_header Host latchkey;
        proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Sent-From "nginx-ingress-controller";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Auth-Request-Redirect $request_uri;
        {transfer}
        proxy_http_version 1.1;
        set $target {auth_url};
        proxy_pass $target;
    }}
    location / {{
        if ($http_origin ~* ({origin})$) {{ set $cors 'true'; }}
        if ($request_method = 'OPTIONS') {{ set $cors ${{cors}}options; }}
        if ($cors = "trueoptions") {{
            add_header Access-Control-Allow-Origin $http_origin;
            add_header Access-Control-Allow-Methods '{methods}';
            add_header Access-Control-Allow-Headers '{headers}';
            return 204;
        }}
        auth_request /_external-auth;
        {identity}
        {transfer}
        proxy_read_timeout {read_timeout}s;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Request-ID $request_id;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_http_version 1.1;
        proxy_pass http://{api};
    }}
}}
"#,
        transfer = transfer_directives(&annotation),
        auth_url = auth_url.replace(LATCHKEY_ADDRESS, latchkey),
        origin = annotation("cors-allow-origin"),
        methods = annotation("cors-allow-methods"),
        headers = annotation("cors-allow-headers"),
        identity = response_headers(&annotation("auth-response-headers")),
        read_timeout = annotation("proxy-read-timeout"),
    )
}

fn annotation(ingress: &str, name: &str) -> String {
    let start = format!("nginx.ingress.kubernetes.io/{name}: \"");
    let value = ingress.lines().find_map(|line| line.trim().strip_prefix(&start)?.strip_suffix('"'));
    value.unwrap_or_else(|| panic!("no annotation {name}")).to_owned()
}

/// Returns the directives that the location of the auth request has as well.
fn transfer_directives(annotation: &impl Fn(&str) -> String) -> String {
    let size = annotation("proxy-buffer-size");
    format!(
        "proxy_buffering {}; proxy_buffer_size {size}; proxy_buffers 4 {size}; proxy_request_buffering {}; \
         client_max_body_size {};",
        annotation("proxy-buffering"),
        annotation("proxy-request-buffering"),
        annotation("proxy-body-size"),
    )
}

fn response_headers(names: &str) -> String {
    names.split(',').enumerate().fold(String::new(), |mut lines, (at, name)| {
        let variable = name.to_lowercase().replace('-', "_");
        writeln!(lines, "auth_request_set $authHeader{at} $upstream_http_{variable};").unwrap();
        writeln!(lines, "proxy_set_header '{name}' $authHeader{at};").unwrap();
        lines
    })
}
