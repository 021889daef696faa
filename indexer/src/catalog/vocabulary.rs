//! The names that one scope holds, for linking and completion.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;

use super::sql::Sql;
use super::{Catalog, CatalogError, RunFilter};
use crate::record::RecordId;
use crate::space::ReadScope;

/// A tag with more values than this is a label of single runs, not a group.
const MAX_TAG_VALUES: usize = 200;

/// Every name that a question may mention, as one scope sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vocabulary {
    /// By name.
    pub projects: Vec<ProjectEntry>,
    /// By project and number.
    pub runs: Vec<RunEntry>,
    /// By name.
    pub params: Vec<ParamEntry>,
    /// By name and value.
    pub tags: Vec<TagEntry>,
    /// People, as written in runs, notes, pulls and commits.
    pub people: Vec<String>,
    /// Repositories that number pulls.
    pub repositories: Vec<String>,
}

/// A project and what is logged in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectEntry {
    /// Its name.
    pub name: String,
    /// Runs in it.
    pub n_runs: u64,
    /// Metrics that a run of it logged, by key.
    pub metrics: BTreeSet<String>,
}

/// A run that can be named.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The record.
    pub record: RecordId,
    /// `PROJECT/RUN`.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Its number there.
    pub number: Option<i64>,
    /// The tracker's id.
    pub native_id: String,
}

/// A param that runs log, and in which projects.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamEntry {
    /// Its key.
    pub name: String,
    /// Projects that log it.
    pub projects: BTreeSet<String>,
    /// Its values, where there are few.
    pub values: BTreeSet<String>,
}

/// A tag value that several runs share.
#[derive(Debug, Clone, PartialEq)]
pub struct TagEntry {
    /// The tag.
    pub name: String,
    /// One of its values.
    pub value: String,
    /// Runs that have it.
    pub n_runs: u64,
}

impl Catalog {
    /// Reads the names of a scope; some milliseconds for hundreds of runs, so keep it until `last_change` moves.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn vocabulary(&self, scope: &ReadScope) -> Result<Vocabulary, CatalogError> {
        let runs = self.runs(scope, &RunFilter::default()).await?;
        let mut projects: BTreeMap<String, ProjectEntry> = BTreeMap::new();
        for run in &runs {
            let fresh = || ProjectEntry { name: run.project.clone(), n_runs: 0, metrics: BTreeSet::new() };
            projects.entry(run.project.clone()).or_insert_with(fresh).n_runs += 1;
        }
        for (project, metric) in
            self.pairs(scope, "SELECT DISTINCT r.project, s.metric FROM series s JOIN records r ON r.id = s.record WHERE 1 = 1").await?
        {
            if let Some(entry) = projects.get_mut(&project) {
                entry.metrics.insert(metric);
            }
        }
        let entry = |run: super::RunRow| RunEntry {
            record: run.record,
            key: run.key,
            name: run.name,
            project: run.project,
            number: run.number,
            native_id: run.native_id,
        };
        Ok(Vocabulary {
            projects: projects.into_values().collect(),
            runs: runs.into_iter().map(entry).collect(),
            params: self.param_entries(scope).await?,
            tags: self.tag_entries(scope).await?,
            people: self.texts(scope, "SELECT DISTINCT r.author FROM records r WHERE r.author IS NOT NULL").await?,
            repositories: self
                .texts(scope, "SELECT DISTINCT p.repository FROM pulls p JOIN records r ON r.id = p.record WHERE 1 = 1")
                .await?,
        })
    }

    async fn param_entries(&self, scope: &ReadScope) -> Result<Vec<ParamEntry>, CatalogError> {
        let mut params: BTreeMap<String, ParamEntry> = BTreeMap::new();
        let query = "SELECT DISTINCT p.name, r.project FROM params p JOIN records r ON r.id = p.record WHERE 1 = 1";
        for (name, project) in self.pairs(scope, query).await? {
            let fresh = || ParamEntry { name: name.clone(), projects: BTreeSet::new(), values: BTreeSet::new() };
            params.entry(name.clone()).or_insert_with(fresh).projects.insert(project);
        }
        let query = "SELECT DISTINCT p.name, p.value FROM params p JOIN records r ON r.id = p.record WHERE 1 = 1";
        for (name, value) in self.pairs(scope, query).await? {
            if let Some(entry) = params.get_mut(&name).filter(|entry| entry.values.len() <= MAX_TAG_VALUES) {
                entry.values.insert(value);
            }
        }
        let mut params: Vec<ParamEntry> = params.into_values().collect();
        params.iter_mut().filter(|entry| entry.values.len() > MAX_TAG_VALUES).for_each(|entry| entry.values.clear());
        Ok(params)
    }

    async fn tag_entries(&self, scope: &ReadScope) -> Result<Vec<TagEntry>, CatalogError> {
        let mut sql = Sql::new("SELECT p.name, p.value, COUNT(*) FROM tags p JOIN records r ON r.id = p.record WHERE 1 = 1");
        sql.in_scope("r.space", scope).and(" GROUP BY p.name, p.value ORDER BY p.name, p.value");
        let mut tags: BTreeMap<String, Vec<TagEntry>> = BTreeMap::new();
        for row in sql.all(self).await? {
            let name: String = row.try_get(0)?;
            let entry = TagEntry { name: name.clone(), value: row.try_get(1)?, n_runs: row.try_get::<i64, _>(2)? as u64 };
            tags.entry(name).or_default().push(entry);
        }
        Ok(tags.into_values().filter(|values| values.len() <= MAX_TAG_VALUES).flatten().collect())
    }

    async fn pairs(&self, scope: &ReadScope, select: &str) -> Result<Vec<(String, String)>, CatalogError> {
        let mut sql = Sql::new(select);
        sql.in_scope("r.space", scope).and(" ORDER BY 1, 2");
        let rows = sql.all(self).await?;
        rows.iter()
            .map(|row| {
                Ok((row.try_get::<Option<String>, _>(0)?.unwrap_or_default(), row.try_get::<Option<String>, _>(1)?.unwrap_or_default()))
            })
            .collect()
    }

    async fn texts(&self, scope: &ReadScope, select: &str) -> Result<Vec<String>, CatalogError> {
        let mut sql = Sql::new(select);
        sql.in_scope("r.space", scope).and(" ORDER BY 1");
        Ok(sql.all(self).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }
}
