//! Real proxies, with the configurations that are shipped, in front of a small API.

mod gateway {
    #[expect(dead_code, reason = "the tests of the other faces use the rest of it")]
    #[path = "../support/program.rs"]
    mod program;
    mod proxies;
    mod proxy;
    #[expect(dead_code, unused_macros, reason = "as above")]
    #[path = "../api/stage.rs"]
    mod stage;
    mod upstream;
}
