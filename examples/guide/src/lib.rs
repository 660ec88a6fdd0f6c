//! The code of the book's guide, a file a topic, as tests. What lies between the anchors is what the book shows.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod attributes;
#[cfg(test)]
mod bind;
#[cfg(test)]
mod context;
#[cfg(test)]
mod failure;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod instead;
#[cfg(test)]
mod methods;
#[cfg(test)]
mod middleware;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod performance;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod tuning;
#[cfg(test)]
mod unit;
#[cfg(test)]
mod versions;
