//! A run as bytes, and back: a run that goes on from a checkpoint gives the same bits as one that never stopped.
//!
//! In: a run, or the same case and the bytes. Out: bytes, or the run where it was. Terrain and series are not in the bytes: the
//! case brings them, and a fingerprint tells whether it is the same one. The last 32 bytes are the SHA-256 of all before: a
//! damaged checkpoint is refused, whichever bit it is.

use super::case::Case;
use super::inundation::{Inundation, InundationFault, WaterBalance};
use sha2::{Digest, Sha256};

/// First bytes of a checkpoint; the digit is the version of the layout.
const MAGIC: &[u8; 12] = b"ANLAN-FLOOD2";

/// What is wrong with the bytes.
fn misfit(what: &'static str) -> InundationFault {
    InundationFault::Checkpoint(what)
}

/// What stands between the mark of the version and the checksum, if both are right.
fn checked(bytes: &[u8]) -> Result<&[u8], InundationFault> {
    if !bytes.starts_with(MAGIC) {
        return Err(misfit("it is no checkpoint of this version"));
    }
    let (body, sum) = bytes.split_last_chunk::<32>().ok_or(misfit("it ends too early"))?;
    if Sha256::digest(body).as_slice() != sum {
        return Err(misfit("it is damaged: its checksum is another"));
    }
    body.get(MAGIC.len()..).ok_or(misfit("it ends too early"))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], InundationFault> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(misfit("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<u64, InundationFault> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(word))
    }

    fn numbers(&mut self) -> Result<Vec<f64>, InundationFault> {
        let count = usize::try_from(self.count()?).map_err(|_| misfit("a length is impossible"))?;
        let bytes = self.take(count.checked_mul(8).ok_or(misfit("a length is impossible"))?)?;
        Ok(bytes
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
            .collect())
    }

    fn fill(&mut self, field: &mut [f32]) -> Result<(), InundationFault> {
        let bytes = self.take(field.len() * 4)?;
        for (value, b) in field.iter_mut().zip(bytes.chunks_exact(4)) {
            *value = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
        Ok(())
    }
}

fn put_field(out: &mut Vec<u8>, field: impl IntoIterator<Item = f32>) {
    field.into_iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn put_numbers(out: &mut Vec<u8>, numbers: &[f64]) {
    out.extend((numbers.len() as u64).to_le_bytes());
    numbers.iter().for_each(|number| out.extend(number.to_le_bytes()));
}

impl Inundation {
    /// The run as bytes.
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.layout.len() * 24 + 4096);
        out.extend(MAGIC);
        out.extend(self.fingerprint());
        let b = self.balance;
        put_numbers(&mut out, &[self.time_s, b.initial_m3, b.in_m3, b.out_m3, b.clipped_m3]);
        for count in [self.steps, self.froude_cells_above, self.swept] {
            out.extend(count.to_le_bytes());
        }
        put_field(&mut out, [self.top, self.froude_highest]);
        put_numbers(&mut out, &self.weirs.state());
        put_numbers(&mut out, &self.sources.state());
        put_field(&mut out, self.rim.values());
        for field in
            [&self.now.h, &self.now.qx, &self.now.qy, &self.records.depth, &self.records.hazard, &self.records.arrival]
        {
            put_field(&mut out, field.iter().copied());
        }
        let sum = Sha256::digest(&out);
        out.extend(sum);
        out
    }

    /// A run of `case` that goes on where the checkpoint was made; it may have another number of workers.
    pub fn resume(case: Case, workers: usize, bytes: &[u8]) -> Result<Self, InundationFault> {
        let mut run = Self::new(case, workers)?;
        let begun_with_m3 = run.balance.initial_m3;
        let mut reader = Reader { rest: checked(bytes)? };
        if reader.take(32)? != run.fingerprint() {
            return Err(misfit(
                "terrain, roughness, equations, structures, inflows, rain or sides of the case have changed since",
            ));
        }
        run.take_back(&mut reader)?;
        if run.balance.initial_m3 != begun_with_m3 {
            return Err(misfit("the water at the start of the case has changed since"));
        }
        if !reader.rest.is_empty() {
            return Err(misfit("it goes on after its end"));
        }
        run.wake_all();
        Ok(run)
    }

    fn take_back(&mut self, reader: &mut Reader) -> Result<(), InundationFault> {
        let numbers = reader.numbers()?;
        let [time_s, initial_m3, in_m3, out_m3, clipped_m3] = numbers[..] else {
            return Err(misfit("its head is damaged"));
        };
        self.time_s = time_s;
        self.balance = WaterBalance { initial_m3, in_m3, out_m3, clipped_m3, stored_m3: 0.0 };
        (self.steps, self.froude_cells_above, self.swept) = (reader.count()?, reader.count()?, reader.count()?);
        let mut tops = [0.0; 2];
        reader.fill(&mut tops)?;
        [self.top, self.froude_highest] = tops;
        self.weirs.restore(&reader.numbers()?).ok_or(misfit("its weirs are others"))?;
        self.sources.restore(&reader.numbers()?).ok_or(misfit("its sources are others"))?;
        let mut rim = vec![0.0; self.rim.values().count()];
        reader.fill(&mut rim)?;
        self.rim.restore(rim.into_iter()).ok_or(misfit("its sides are others"))?;
        let records = &mut self.records;
        let water = &mut self.now;
        for field in
            [&mut water.h, &mut water.qx, &mut water.qy, &mut records.depth, &mut records.hazard, &mut records.arrival]
        {
            reader.fill(field)?;
        }
        self.forget_start();
        Ok(())
    }

    /// What must be the same in the case that a checkpoint is taken back into.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let case = &self.case;
        hash.update(format!(
            "{:?} {} {} {} {:?} {:?} {:?} {:?} {:?}",
            case.grid,
            case.scheme.name(),
            case.courant,
            case.dry_m,
            case.edges,
            case.breaches,
            case.inflows,
            case.rain_mm_h,
            case.sides
        ));
        self.bed.iter().chain(self.n2.iter()).for_each(|value| hash.update(value.to_le_bytes()));
        hash.finalize().into()
    }
}
