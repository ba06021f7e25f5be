mod order;
mod properties;
mod rules;
mod story;
