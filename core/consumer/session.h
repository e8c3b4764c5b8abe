#pragma once
#include <string>

#include "core/pg/transaction.h"

namespace skytools::consumer {

/// Makes the text of values independent of the server's and the user's settings, and takes limits meant for people
/// away.
/// @param encoding  of the client side; "" leaves it. A SQL_ASCII database gives and takes its bytes as they are: it
/// would refuse to hand over those that aren't of that encoding
void prepare_session(pg::Connection& c, const std::string& encoding);

/// Ends with the command that installs the schema there. @throws SchemaMissing  always
[[noreturn]] void schema_is_missing(const pg::Connection& c, const std::string& module);

/// Do both connections lead to the same database?
bool same_database(pg::Connection& a, pg::Connection& b);
/// Do both have the same user, and the same settings from their connect strings (`options=-csearch_path=app`)?
bool same_session(pg::Connection& a, pg::Connection& b);

}  // namespace skytools::consumer
