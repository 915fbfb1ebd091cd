//! A machine that runs everything in one thread, in an order that a seed decides.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::BinaryHeap,
    future::poll_fn,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Microseconds of the simulation's true time, which no process can read.
pub(super) type Micros = u64;

type Task = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct Machine {
    now: Cell<Micros>,
    random: RefCell<StdRng>,
    tasks: RefCell<Vec<Option<Task>>>,
    running: Cell<usize>,
    /// The processes to resume and their times. The number orders those that are due at the same time.
    due: RefCell<BinaryHeap<Reverse<(Micros, u64, usize)>>>,
    dues: Cell<u64>,
    woken: Arc<Mutex<Vec<usize>>>,
}

struct Wakes {
    task: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.woken.lock().unwrap().push(self.task);
    }
}

impl Machine {
    pub(super) fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::default(),
            random: RefCell::new(StdRng::seed_from_u64(seed)),
            tasks: RefCell::default(),
            running: Cell::default(),
            due: RefCell::default(),
            dues: Cell::default(),
            woken: Arc::default(),
        })
    }

    pub(super) fn now(&self) -> Micros {
        self.now.get()
    }

    /// A number from the range.
    pub(super) fn pick(&self, range: std::ops::Range<u64>) -> u64 {
        self.random.borrow_mut().random_range(range)
    }

    /// Returns true with a probability of this many in a thousand.
    pub(super) fn chance(&self, thousandths: u64) -> bool {
        self.pick(0..1_000) < thousandths
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        self.woken.lock().unwrap().push(tasks.len());
        tasks.push(Some(Box::pin(task)));
    }

    pub(super) async fn delay(&self, micros: Micros) {
        let until = self.now() + micros;
        let mut is_set = false;
        poll_fn(|_| {
            if self.now() >= until && is_set {
                return Poll::Ready(());
            }
            if !is_set {
                is_set = true;
                self.dues.set(self.dues.get() + 1);
                self.due.borrow_mut().push(Reverse((until, self.dues.get(), self.running.get())));
            }
            Poll::Pending
        })
        .await;
    }

    /// Runs a future for at most this time, then drops it.
    pub(super) async fn within<T>(&self, micros: Micros, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut over) = (pin!(future), pin!(self.delay(micros)));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => over.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Runs until that time.
    pub(super) fn run_until(&self, end: Micros) {
        loop {
            while let Some(task) = self.next_woken() {
                self.poll(task);
            }
            let Some(Reverse((at, _, task))) = self.due.borrow_mut().pop() else { return };
            if at > end {
                return;
            }
            self.now.set(at);
            self.poll(task);
        }
    }

    fn next_woken(&self) -> Option<usize> {
        let mut woken = self.woken.lock().unwrap();
        let place = (!woken.is_empty()).then(|| self.pick(0..woken.len() as u64))?;
        Some(woken.swap_remove(place as usize))
    }

    fn poll(&self, number: usize) {
        let Some(mut task) = self.tasks.borrow_mut()[number].take() else { return };
        self.running.set(number);
        let waker = Waker::from(Arc::new(Wakes { task: number, woken: self.woken.clone() }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut()[number] = Some(task);
        }
    }

    /// Ends every task, so that nothing holds on to itself.
    pub(super) fn stop(&self) {
        self.tasks.borrow_mut().clear();
    }
}
