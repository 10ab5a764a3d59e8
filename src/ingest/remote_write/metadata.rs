//! What metrics are: type, unit, help. Message 1 tells it apart from series, message 2 with each.

use super::decoder::Decoder;
use crate::ingest::Place;
use crate::ingest::metadata::Told;
use crate::ingest::wire::{Malformed, Value, Wire};

impl Decoder<'_> {
    /// `prometheus.MetricMetadata`.
    pub(super) fn take_family(
        &mut self,
        index: usize,
        mut message: Wire<'_>,
    ) -> Result<(), Malformed> {
        let mut told = Told::default();
        loop {
            let before = message;
            match message.field()? {
                Some((1, Value::Varint(kind))) => told.kind = kind,
                Some((2, Value::Bytes(metric))) => told.metric = metric.bytes(),
                Some((4, Value::Bytes(help))) => told.help = help.bytes(),
                Some((5, Value::Bytes(unit))) => told.unit = unit.bytes(),
                Some((number @ (1 | 2 | 4 | 5), _)) => {
                    return Err(before.mismatch("prometheus.MetricMetadata", number));
                }
                Some(_) => {}
                None => break,
            }
        }
        self.tell(index, &told);
        Ok(())
    }

    /// Takes metadata, unless this connection told the same not long ago.
    pub(super) fn tell(&mut self, index: usize, told: &Told<'_>) {
        match told.tell(self.session, self.intake, self.batch) {
            Ok(()) => self.report.metadata += 1,
            Err(reason) => {
                self.report.refuse(self.intake.config, 1, || (Place::Metadata(index), reason));
            }
        }
    }
}
