// Checkpoint: what the journals were at an instant, signed, to be held against a restored backup.
//
// A text of lines, each a JSON object: first what it is, then each account with the number of its
// journal entries and the hash of the last, last the signature over all lines before.
#pragma once

#include "accounting/accounting.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace accounting::services {

/// Throws InvalidArgument (private_key).
std::string write_checkpoint(store::Reads& reads, std::string_view private_key, Timestamp now);

/// A checkpoint whose signature is right. Throws InvalidArgument (checkpoint, public_key).
class SignedCheckpoint {
 public:
  SignedCheckpoint(std::string_view checkpoint, std::string_view public_key);

  /// What the books lack of what the checkpoint says.
  [[nodiscard]] CheckpointReport compare(store::Reads& reads) const;

 private:
  Timestamp created_at_;
  std::vector<store::JournalHead> heads_;
};

}  // namespace accounting::services
