using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

internal sealed partial class WriteQueue
{
    /// <summary>What an operator does. It may run again, should a transaction fail.</summary>
    internal sealed record Work(Company Company, LockMode Mode, Action<WriteTransaction> Do);

    /// <summary>The messages of one request: they are stored together or not at all.</summary>
    internal sealed class Append(IReadOnlyList<Message> messages, Rejected? rejected, Work? work = null)
    {
        /// <summary>What an append and a message hold beside what was sent, about.</summary>
        private const int AppendBytes = 2048, MessageBytes = 256;

        /// <summary>So many bytes cost about as much to write as a message.</summary>
        private const double UnitBytes = 4096;

        // Continuations run where the batch is answered, a thread of the pool; they send an answer and never block.
        private readonly TaskCompletionSource<Receipt[]> answer = new();

        public IReadOnlyList<Message> Messages { get; } = messages;

        /// <summary>About what it holds in memory.</summary>
        public long Bytes { get; } = AppendBytes + messages.Sum(message => MessageBytes + message switch
        {
            TrackedEvent tracked => tracked.Data.Length + tracked.Context.Length,
            Identify identify => identify.Said.Length,
            _ => 0,
        }) + (rejected?.Events.Sum(refused => refused.Body.Length) ?? 0);

        /// <summary>What was refused in the same request, kept beside it.</summary>
        public Rejected? Rejected { get; } = rejected;

        /// <summary>What an operator does; null for messages.</summary>
        public Work? Work { get; } = work;

        public Receipt[] Receipts { get; } = messages.Count == 0 ? [] : new Receipt[messages.Count];

        /// <summary>The company that it is of; null where it only asks.</summary>
        public Company? Company => Messages.Count > 0 ? Messages[0].Company : Rejected?.Company ?? Work?.Company;

        /// <summary>Whose share it takes.</summary>
        public Sender Sender => new(Company?.Number ?? Engine.NoCompany, (Messages.Count > 0 ? Messages[0].Order.Origin : Rejected?.Origin) switch
        {
            Origin.Browser => SenderKind.Browsers,
            Origin.Server => SenderKind.BackEnd,
            _ => SenderKind.Operators,
        });

        /// <summary>How much of it there is to write, in the unit of <see cref="ServiceTimes"/>.</summary>
        public double Units => Math.Max(1, Messages.Count + (Rejected?.Events.Count ?? 0) + (Bytes / UnitBytes));

        /// <summary>When it was queued.</summary>
        public long Since { get; set; }

        /// <summary>Whether it only asks if the store writes.</summary>
        public bool IsProbe => Messages.Count == 0 && Rejected is null && Work is null;

        /// <summary>What it does to which companies.</summary>
        public IEnumerable<(long Company, LockMode Mode)> Holds()
        {
            foreach (var message in Messages) yield return (message.Company.Number, message is TrackedEvent { Order.Origin: Origin.Browser } ? LockMode.Append : LockMode.Bind);
            if (Rejected is { } refused) yield return (refused.Company.Number, LockMode.Append);
            if (Work is { } asked) yield return (asked.Company.Number, asked.Mode);
        }

        /// <summary>The companies that have received or refused something by it; repeats are nothing new.</summary>
        public IEnumerable<long> ChangedCompanies()
        {
            for (var i = 0; i < Messages.Count; i++)
            {
                if (!Receipts[i].Duplicate) yield return Messages[i].Company.Number;
            }

            if (Rejected is { } refused) yield return refused.Company.Number;
        }

        /// <summary>What the transaction failed with; set by the writer.</summary>
        public Exception? Failure { get; set; }

        /// <summary>Whether it failed as it was committed, so that it may be stored all the same.</summary>
        public bool MayBeStored { get; set; }

        public Task<Receipt[]> Task => answer.Task;

        public void Answer()
        {
            if (Failure is null) answer.TrySetResult(Receipts);
            else answer.TrySetException(new StoreUnavailableException(WhatBecameOfIt(MayBeStored), Failure));
        }

        /// <summary>Answers before the writer does.</summary>
        public void GiveUp(bool mayBeStored)
        {
            if (answer.TrySetException(new StoreUnavailableException(WhatBecameOfIt(mayBeStored)) { IsInUse = mayBeStored })) StoreMetrics.NotQueued("late");
        }

        private string WhatBecameOfIt(bool mayBeStored) => (mayBeStored, Work is null) switch
        {
            (false, true) => "The store cannot write now; nothing of this was stored, send it again.",
            (false, false) => "The store cannot write now; nothing was done, try it again.",
            (true, true) => "The store has not answered whether it stored this; send it again with the same eventId, and it is there once.",
            (true, false) => "The store has not answered whether this was done; look before you try it again.",
        };
    }
}
