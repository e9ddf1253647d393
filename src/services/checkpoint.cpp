#include "services/checkpoint.hpp"

#include "accounting/error.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/journal_hash.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <utility>

namespace accounting::services {
namespace {

using nlohmann::json;

constexpr std::string_view kind = "accounting checkpoint";
constexpr std::int64_t version = 1;

std::string line_of(const json& object) { return object.dump() + "\n"; }

std::string signature_line(const std::string& signature) {
  return line_of({{"algorithm", "Ed25519"}, {"signature", signature}});
}

[[noreturn]] void refuse(const std::string& expected) {
  throw InvalidArgument("checkpoint", expected);
}

/// Takes the next line of a text.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    refuse("a checkpoint, with all its lines");
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

json object_of(std::string_view line) {
  json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) {
    refuse("a checkpoint: lines that are JSON objects");
  }
  return parsed;
}

template <class Value>
Value member(const json& object, const char* name) {
  try {
    return object.at(name).get<Value>();
  } catch (const json::exception&) {
    refuse(std::string("a checkpoint whose lines have ") + name);
  }
}

/// The hash of the account's journal up to an entry, from the entries themselves.
std::optional<std::string> hash_at(const domain::AccountRows& rows, std::int64_t entries) {
  if (static_cast<std::int64_t>(rows.entries.size()) < entries) {
    return std::nullopt;
  }
  std::string hash;
  for (std::size_t index = 0; index < static_cast<std::size_t>(entries); ++index) {
    hash = crypto::journal_hash(hash, rows.entries[index]);
  }
  return hash;
}

Problem lacking(const std::string& user_id, std::string detail) {
  return {.invariant = "chain", .user_id = user_id, .detail = std::move(detail)};
}

std::optional<Problem> difference(const store::JournalHead& head, const domain::AccountRows& rows) {
  const std::optional<std::string> hash = hash_at(rows, head.entries);
  if (!hash) {
    return lacking(head.user_id,
                   "credit_entries: there are " + std::to_string(rows.entries.size()) +
                       " entries, and the checkpoint has " + std::to_string(head.entries));
  }
  if (*hash != head.hash) {
    return lacking(head.user_id, "credit_entries: the entries up to sequence " +
                                     std::to_string(head.entries) +
                                     " are not those of the checkpoint");
  }
  return std::nullopt;
}

}  // namespace

std::string write_checkpoint(store::Reads& reads, std::string_view private_key, Timestamp now) {
  const std::vector<store::JournalHead> heads = reads.journal_heads();
  std::string text = line_of({{"kind", kind},
                              {"version", version},
                              {"created_at", now.time_since_epoch().count()},
                              {"accounts", heads.size()}});
  for (const store::JournalHead& head : heads) {
    text += line_of({{"user_id", head.user_id}, {"entries", head.entries}, {"hash", head.hash}});
  }
  const std::optional<std::string> signature = crypto::ed25519_sign(private_key, text);
  if (!signature) {
    throw InvalidArgument("private_key", "a private Ed25519 key as PEM, without a password");
  }
  return text + signature_line(*signature);
}

SignedCheckpoint::SignedCheckpoint(std::string_view checkpoint, std::string_view public_key) {
  const std::size_t last =
      checkpoint.empty() ? std::string_view::npos : checkpoint.rfind('\n', checkpoint.size() - 2);
  if (last == std::string_view::npos || checkpoint.back() != '\n') {
    refuse("a checkpoint, with all its lines");
  }
  std::string_view lines = checkpoint.substr(0, last + 1);
  const std::string_view last_line = checkpoint.substr(last + 1);
  const auto signature = member<std::string>(object_of(last_line), "signature");
  if (last_line != signature_line(signature)) {
    refuse("a checkpoint that ends with its signature");
  }
  const std::optional<bool> is_signed = crypto::ed25519_verify(public_key, lines, signature);
  if (!is_signed) {
    throw InvalidArgument("public_key", "a public Ed25519 key as PEM");
  }
  if (!*is_signed) {
    refuse("a checkpoint that was signed with this key and not changed since");
  }
  const json first = object_of(take_line(lines));
  if (member<std::string>(first, "kind") != kind ||
      member<std::int64_t>(first, "version") != version) {
    refuse("a checkpoint of a version that this library knows");
  }
  created_at_ = Timestamp(std::chrono::microseconds(member<std::int64_t>(first, "created_at")));
  while (!lines.empty()) {
    const json account = object_of(take_line(lines));
    heads_.push_back({.user_id = member<std::string>(account, "user_id"),
                      .entries = member<std::int64_t>(account, "entries"),
                      .hash = member<std::string>(account, "hash")});
  }
}

CheckpointReport SignedCheckpoint::compare(store::Reads& reads) const {
  CheckpointReport report;
  report.created_at = created_at_;
  std::map<std::string_view, const store::JournalHead*> missing;
  for (const store::JournalHead& head : heads_) {
    missing.emplace(head.user_id, &head);
    report.accounts += 1;
    report.entries += head.entries;
  }
  reads.each_account([&](const domain::AccountRows& rows) {
    const auto found = missing.find(rows.user_id);
    if (found == missing.end() || !rows.known) {
      return;  // younger than the checkpoint, or what is left over of an account that is gone
    }
    if (std::optional<Problem> problem = difference(*found->second, rows)) {
      report.problems.push_back(std::move(*problem));
    }
    missing.erase(found);
  });
  for (const auto& [user_id, head] : missing) {
    report.problems.push_back(
        lacking(std::string(user_id), "user_accounts: the account is in the checkpoint, not here"));
  }
  report.ok = report.problems.empty();
  return report;
}

}  // namespace accounting::services
