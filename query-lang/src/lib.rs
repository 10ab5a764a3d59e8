//! What a question is: text, tree, types, print. Knows nothing of storage or execution.
