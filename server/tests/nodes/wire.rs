//! The wire between a server and its database. Whatever is connected over it can fall silent, and stays connected.

use std::net::Ipv4Addr;

use reqwest::Url;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct Wire {
    pub url: String,
    silence: watch::Sender<()>,
}

impl Wire {
    pub async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let end = (Ipv4Addr::LOCALHOST, url.port().unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let silence = watch::Sender::new(());
        let heard = silence.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, TcpStream::connect(end).await.unwrap(), heard.subscribe()));
            }
        });
        Self { url: url.to_string(), silence }
    }

    /// For all that is connected now. What connects from now on is carried.
    pub fn fall_silent(&self) {
        self.silence.send_replace(());
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, mut silence: watch::Receiver<()>) {
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        // Neither end hears that the other has gone.
        _ = silence.changed() => std::future::pending().await,
    }
}
