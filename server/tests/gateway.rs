//! Real proxies, with the configurations that are shipped, in front of a small API.

mod gateway {
    mod proxies;
    mod proxy;
    mod upstream;
}
