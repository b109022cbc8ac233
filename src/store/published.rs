//! What one place makes and many read: whoever looks gets the value as it stood, and holds no lock.
//!
//! A lock that readers keep while they shape an answer stops the writer, and a writer that waits stops every reader that
//! comes after it: two readers that each look at two things then wait for each other for ever, and with them all orders.
//! Here nothing is held, so nothing can wait. A reader that looks twice may see two values; it looks once.

use std::sync::{Arc, PoisonError, RwLock};

/// The newest value; cheap to clone, all clones are one.
#[derive(Debug)]
pub struct Published<T>(Arc<RwLock<Arc<T>>>);

impl<T> Clone for Published<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Published<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Published<T> {
    /// Begins with a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }
    /// The value as it stands; what comes later does not change what was got.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Puts another in its place.
    pub fn set(&self, value: T) {
        let value = Arc::new(value);
        let earlier = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), value);
        drop(earlier); // outside the lock: it may be large
    }
}

impl<T: Clone> Published<T> {
    /// Changes it; whoever holds the earlier value keeps it, and only then is it copied.
    pub fn change(&self, how: impl FnOnce(&mut T)) {
        let mut value = self.0.write().unwrap_or_else(PoisonError::into_inner);
        how(Arc::make_mut(&mut value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_whoever_looks_holds_nothing_and_sees_one_moment() {
        let water = Published::new(vec![1]);
        let (early, also) = (water.get(), water.get());
        // With a lock that readers keep, each of these lines would wait for ever.
        water.change(|value| value.push(2));
        let middle = water.get();
        water.set(vec![3]);
        assert_eq!((&*early, &*also, &*middle, &*water.get()), (&vec![1], &vec![1], &vec![1, 2], &vec![3]));
    }
}
