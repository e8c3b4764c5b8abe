#include <doctest/doctest.h>

#include "core/pg/connection.h"

using namespace skytools;

TEST_CASE("the summary of a connection string names host and database, never user or password") {
  struct Row {
    const char *conninfo, *summary;
  };
  for (auto& [conninfo, summary] : {
           Row{"", ""},
           Row{"shop", "shop"},
           Row{"host=db1 dbname=shop user=u password=geheim", "db1/shop"},
           Row{"host=db1 port=6432 dbname=shop", "db1:6432/shop"},
           Row{"hostaddr=10.0.0.1 dbname=shop", "10.0.0.1/shop"},
           Row{"dbname=shop password='gehe im'", "shop"},
           Row{"service=dw", "service=dw"},
           Row{"host=a,b port=1,2 dbname=x", "a,b:1,2/x"},
           Row{"postgresql://u:geheim@db1:6432/shop?application_name=x", "db1:6432/shop"},
           Row{"postgres://u:ge%2Fheim@db1/shop", "db1/shop"},
       }) {
    CAPTURE(conninfo);
    CHECK(pg::conninfo_summary(conninfo) == summary);
  }
}

TEST_CASE("passwords are masked, the rest stays") {
  CHECK(pg::mask_password("host=db1 dbname=shop") == "host=db1 dbname=shop");
  CHECK(pg::mask_password("shop") == "shop");
  CHECK(pg::mask_password("") == "");
  for (const char* conninfo : {"host=db1 password=geheim dbname=shop", "host=db1 password='gehe\\'im' dbname=shop",
                               "postgresql://u:geheim@db1/shop", "postgresql://db1/shop?password=geheim",
                               "host=db1 dbname=shop sslkey=k sslpassword=geheim"}) {
    std::string masked = pg::mask_password(conninfo);
    CAPTURE(masked);
    CHECK(masked.find("gehe") == std::string::npos);
    CHECK(masked.find("password=***") != std::string::npos);
    CHECK(pg::conninfo_summary(masked) == "db1/shop");
  }
}

TEST_CASE("a keyword is replaced whatever the form of the string, and values survive") {
  CHECK(pg::with_keyword("shop", "host", "db1") == "dbname=shop host=db1");
  CHECK(pg::with_keyword("", "dbname", "x") == "dbname=x");
  CHECK(pg::conninfo_summary(pg::with_keyword("postgresql://u@db1:5433/shop", "dbname", "other")) == "db1:5433/other");
  for (std::string odd : {"with space", "quo'te", "back\\slash", "a=b", "", "tab\there", "line\nend", "ünï"}) {
    CAPTURE(odd);
    // Twice through: what was written is read back the same.
    std::string once = pg::with_keyword("host=db1", "dbname", odd);
    std::string twice = pg::with_keyword(once, "host", "db1");
    CHECK(pg::conninfo_summary(twice) == "db1/" + odd);
  }
}

TEST_CASE("a bad connection string is a usage error that repeats nothing of it") {
  for (const char* conninfo :
       {"host=db1 password=geheim nonsense=1", "host=db1 password='geheim", "host=db1 geheim dbname=x",
        "postgresql://u:geheim@[::1/shop", "postgresql://u:geheim%zz@db1/shop", "postgresql://u:geh/eim@db1/shop",
        "postgresql://db1/shop?geheim"}) {
    CAPTURE(conninfo);
    for (auto* f : {&pg::conninfo_summary, &pg::mask_password}) {
      std::string said;
      try {
        (*f)(conninfo);
      } catch (const UsageError& e) {
        said = e.what();
      }
      CHECK(said.starts_with("bad connection string: "));
      CHECK(said.find("geh") == std::string::npos);
      CHECK(said.find("eim") == std::string::npos);
    }
  }
}
