//! Real proxies, with the configurations that are shipped, in front of a small API.

mod gateway {
    mod guarded;
    mod ingress;
    mod openidc;
    mod proxies;
    mod proxy;
    mod transport;
    mod upstream;
}
