//! The closed vocabularies of a segment's record: fields that take one of a few words.

/// Declares an enum whose variants are the words of a vocabulary, in the order of their dictionary keys.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of [`Self::index`].
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it stands in records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The word's place in [`Self::ALL`], which is its key in the dictionary columns of a batch.
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The variant for a word; `None` where the vocabulary has no such word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Why a segment began.
    StartReason {
        /// A consumer began a conversation.
        NewConversation = "new_conversation",
        /// An agent was named as the target of a transfer from another skill.
        AgentTransfer = "agent_transfer",
        /// A skill was named as the target of a transfer from another skill.
        SkillTransfer = "skill_transfer",
        /// A closed conversation was taken up again.
        Resume = "resume",
        /// A transfer for an unknown reason.
        Other = "other",
    }
}

words! {
    /// Why a segment ended.
    EndReason {
        /// Transferred to an agent of another skill.
        AgentTransfer = "agent_transfer",
        /// Transferred to another skill.
        SkillTransfer = "skill_transfer",
        /// The agent closed the conversation.
        ClosedByAgent = "closed_by_agent",
        /// The consumer closed the conversation.
        ClosedByConsumer = "closed_by_consumer",
        /// The system closed the conversation.
        ClosedBySystem = "closed_by_system",
    }
}

words! {
    /// What kinds of agents were assigned in a segment. The words are in alphabetical order, so that sorting by key
    /// sorts by word.
    UserType {
        /// Every agent assigned was a bot.
        Bot = "bot",
        /// Every agent assigned was a human.
        Human = "human",
        /// Both kinds were assigned.
        Mixed = "mixed",
        /// No agent was ever assigned.
        None = "none",
    }
}

words! {
    /// How a segment ended; every closed segment has exactly one outcome.
    Outcome {
        /// An agent spoke, and the consumer answered.
        Interactive = "interactive",
        /// An agent spoke, and the consumer did not answer.
        NonResponsiveConsumer = "non_responsive_consumer",
        /// No agent spoke, and the consumer closed the conversation.
        Abandoned = "abandoned",
        /// No agent spoke, and the segment ended by a transfer, an agent or the system.
        NonResponsiveAgent = "non_responsive_agent",
    }
}
