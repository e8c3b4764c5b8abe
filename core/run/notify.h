#pragma once

/// What the init system, and whoever started a daemon, wants to know. All of it is about the process as a whole, hence
/// functions; without an init system that listens they do nothing.
namespace skytools::run {

void notify_ready();  ///< the work has begun; a daemon leaves its terminal here. @throws Stopped  its starter is gone
void notify_reloading();  ///< follow with notify_ready()
void notify_stopping();
void notify_alive();  ///< for the watchdog; call at least once a second

}  // namespace skytools::run
