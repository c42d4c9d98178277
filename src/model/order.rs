//! Parents before children: what each table has to wait for.

use super::names::TableName;
use super::plan::TablePlan;

/// For each plan the indexes of the plans that have to be done before it: the tables it refers
/// to, but not those that refer back to it (a cycle), nor itself.
pub fn parents_first(plans: &[TablePlan]) -> Vec<Vec<usize>> {
    let direct = direct(plans);
    let reach = reach(&direct);
    (0..plans.len())
        .map(|i| direct[i].iter().copied().filter(|&p| !reach[p][i]).collect())
        .collect()
}

/// Marks the foreign keys whose parents, over any number of steps, refer back.
pub fn mark_cycles(plans: &mut [TablePlan]) {
    let reach = reach(&direct(plans));
    let names: Vec<TableName> = plans.iter().map(|p| p.target.clone()).collect();
    for (i, plan) in plans.iter_mut().enumerate() {
        for parent in &mut plan.parents {
            let index = names.iter().position(|name| *name == parent.table);
            parent.cyclic = index.is_some_and(|p| reach[p][i]);
        }
    }
}

fn direct(plans: &[TablePlan]) -> Vec<Vec<usize>> {
    let index = |name: &TableName| plans.iter().position(|p| &p.target == name);
    plans
        .iter()
        .map(|plan| plan.parents.iter().filter_map(|parent| index(&parent.table)).collect())
        .collect()
}

/// Which tables each table refers to, over any number of steps; each reaches itself.
fn reach(direct: &[Vec<usize>]) -> Vec<Vec<bool>> {
    (0..direct.len()).map(|from| reachable(direct, from)).collect()
}

/// Which tables `from` refers to, over any number of steps.
fn reachable(direct: &[Vec<usize>], from: usize) -> Vec<bool> {
    let mut seen = vec![false; direct.len()];
    seen[from] = true;
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for &next in &direct[at] {
            if !seen[next] {
                seen[next] = true;
                open.push(next);
            }
        }
    }
    seen
}
