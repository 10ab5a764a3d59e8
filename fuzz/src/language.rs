//! What has to hold for any text that is asked: it is a question or an error, and a question that is
//! printed is the same question.

pub(crate) fn question(bytes: &[u8]) {
    match query_lang::parse_bytes(bytes) {
        Ok(expr) => {
            let printed = expr.to_string();
            let again = query_lang::parse(&printed).map(|expr| expr.to_string());
            assert_eq!(again.as_deref(), Ok(printed.as_str()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
