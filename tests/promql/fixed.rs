//! The same question with every selector fixed by `@`: it must not matter when it is asked.

use query_lang::{At, Expr, Function};

/// Fixes selectors and subqueries that are not yet. Those within a subquery follow it.
///
/// False where the answer depends on the time all the same.
pub(crate) fn fix(expr: &mut Expr, time: i64) -> bool {
    let set = |at: &mut Option<At>| {
        at.get_or_insert(At::Time(time));
    };
    match expr {
        Expr::Number(_) | Expr::String(_) => true,
        Expr::Vector(selector) => {
            set(&mut selector.at);
            true
        }
        Expr::Matrix(matrix) => {
            set(&mut matrix.selector.at);
            true
        }
        Expr::Subquery(subquery) => {
            set(&mut subquery.at);
            !has_unstable(&subquery.expr)
        }
        Expr::Unary(unary) => fix(&mut unary.expr, time),
        Expr::Paren(paren) => fix(&mut paren.expr, time),
        Expr::Moved(moved) => {
            set(&mut moved.at);
            true
        }
        Expr::Keep(keep) => fix(&mut keep.expr, time),
        Expr::Binary(binary) => fix(&mut binary.left, time) & fix(&mut binary.right, time),
        Expr::Aggregate(aggregate) => {
            let parameter = aggregate.parameter.as_mut().is_none_or(|expr| fix(expr, time));
            parameter & fix(&mut aggregate.expr, time)
        }
        Expr::Call(call) => {
            // The second argument of `info` is no selector, but has the form of one.
            let count = if call.function == Function::Info { 1 } else { call.args.len() };
            let fixed = call.args.iter_mut().take(count).map(|arg| fix(arg, time));
            fixed.fold(true, |all, fixed| all & fixed) & !is_unstable(call.function)
        }
    }
}

fn has_unstable(expr: &Expr) -> bool {
    let own = matches!(expr, Expr::Call(call) if is_unstable(call.function));
    own || expr.children().into_iter().any(has_unstable)
}

fn is_unstable(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::DaysInMonth
            | F::DayOfMonth
            | F::DayOfWeek
            | F::DayOfYear
            | F::Hour
            | F::Minute
            | F::Month
            | F::Year
            | F::PredictLinear
            | F::Time
            | F::Timestamp
            | F::StartTimestamp
            | F::Start
            | F::End
            | F::Range
            | F::Step
    )
}

/// Other times to ask at.
pub(crate) fn other_times(time: i64) -> Vec<i64> {
    if time == 0 { vec![-1000, 1000] } else { vec![-10 * time, 0, time / 5, time, 10 * time] }
}
