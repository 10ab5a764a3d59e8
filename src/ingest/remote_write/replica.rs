//! Which replica a series is of, and whether its rows are taken.

use super::decoder::{Decoder, Fault, Kind, Series, Source};
use super::labels;
use crate::ingest::replicas::CLUSTERS_OPTION;
use crate::ingest::wire::{Malformed, Value, Wire};
use crate::ingest::{Ballot, Elections, Error, Reason};
use crate::model::{Label, TenantId};

/// The elections, and when rows of this request came.
#[derive(Clone, Copy, Debug)]
pub struct Replicas<'a> {
    /// Who is elected.
    pub elections: &'a Elections,
    /// ns since 1970.
    pub now: i64,
}

/// What one request says of replicas: as a rule all of its series the same.
pub(super) struct Filter<'a> {
    replicas: Replicas<'a>,
    cluster: Vec<u8>,
    replica: Vec<u8>,
    /// What became of those two. None before the first.
    ballot: Option<Ballot>,
    /// Whether the series at hand loses its replica's label.
    is_stripped: bool,
}

impl<'a> Filter<'a> {
    pub(super) fn new(replicas: Replicas<'a>) -> Self {
        let (cluster, replica) = (Vec::new(), Vec::new());
        Self { replicas, cluster, replica, ballot: None, is_stripped: false }
    }

    fn vote(&mut self, tenant: TenantId, cluster: &[u8], replica: &[u8]) -> Ballot {
        match self.ballot {
            Some(ballot) if self.cluster == cluster && self.replica == replica => ballot,
            _ => {
                self.cluster.clear();
                self.cluster.extend_from_slice(cluster);
                self.replica.clear();
                self.replica.extend_from_slice(replica);
                // Whoever is not text is refused as a label anyway.
                let text = String::from_utf8_lossy;
                let Replicas { elections, now } = self.replicas;
                let ballot = elections.vote(tenant, &text(cluster), &text(replica), now);
                self.ballot = Some(ballot);
                ballot
            }
        }
    }
}

impl Decoder<'_> {
    /// Whether the rows of a series are to be taken. Those of another replica are counted as written:
    /// the elected one brings them.
    #[cold]
    #[expect(clippy::match_same_arms, reason = "each arm has its own reason")]
    pub(super) fn is_elected(&mut self, series: &Series<'_>) -> Result<bool, Error> {
        let Some(mut filter) = self.replicas.take() else { return Ok(true) };
        let ballot = self.ballot(&mut filter, series);
        filter.is_stripped = matches!(ballot, Ok(Some(Ballot::Elected)));
        let config = filter.replicas.elections.config();
        let taken = match ballot {
            Ok(None | Some(Ballot::Elected)) => true,
            Ok(Some(Ballot::Other)) => {
                self.pass_over(series)?;
                filter.replicas.elections.count(series.rows.count);
                false
            }
            Ok(Some(Ballot::TooMany)) => {
                let limit = config.clusters_max;
                let what = "count of clusters with replicas";
                let reason =
                    Reason::Limit { what, actual: limit + 1, limit, option: CLUSTERS_OPTION };
                self.refuse(series, series.rows.count, reason);
                false
            }
            // Told when the labels are read for good.
            Err(Fault::Refused(_)) => true,
            Err(Fault::Malformed(malformed)) => return Err(malformed.into()),
        };
        self.replicas = Some(filter);
        Ok(taken)
    }

    /// None where the series names no cluster or no replica.
    fn ballot(
        &self,
        filter: &mut Filter<'_>,
        series: &Series<'_>,
    ) -> Result<Option<Ballot>, Fault> {
        let config = filter.replicas.elections.config();
        let (mut cluster, mut replica): (&[u8], &[u8]) = (&[], &[]);
        let mut spelled = Vec::new();
        let fields = match series.labels {
            Source::Fields(fields) => fields,
            Source::Referring(message) => {
                self.spell(message, &mut spelled)?;
                &spelled
            }
        };
        let mut fields = Wire::new(fields);
        while let Some((number, value)) = fields.field()? {
            let (1, Value::Bytes(message)) = (number, value) else { continue };
            let (name, value) = labels::pair(message)?;
            if name == config.cluster_label.as_bytes() {
                cluster = value;
            } else if name == config.replica_label.as_bytes() {
                replica = value;
            }
        }
        if cluster.is_empty() || replica.is_empty() {
            return Ok(None);
        }
        Ok(Some(filter.vote(self.intake.tenant, cluster, replica)))
    }

    fn pass_over(&mut self, series: &Series<'_>) -> Result<(), Malformed> {
        let mut rows = series.rows.fields;
        while let Some((number, value)) = rows.field()? {
            let Value::Bytes(_) = value else { continue };
            match self.kind(number) {
                Some(Kind::Sample) => self.report.samples += 1,
                Some(Kind::Histogram) => self.report.histograms += 1,
                Some(Kind::Exemplar) => self.report.exemplars += 1,
                None => {}
            }
        }
        Ok(())
    }

    /// The labels of a series that is new, as it is kept.
    pub(super) fn without_replica<'a>(&self, mut labels: Vec<Label<'a>>) -> Vec<Label<'a>> {
        if let Some(filter) = self.replicas.as_ref().filter(|filter| filter.is_stripped) {
            let name = &filter.replicas.elections.config().replica_label;
            labels.retain(|(there, _)| there != name);
        }
        labels
    }
}
