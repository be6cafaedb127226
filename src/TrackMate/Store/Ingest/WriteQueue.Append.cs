using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

internal sealed partial class WriteQueue
{
    /// <summary>An operator's work. It may run again if its transaction fails.</summary>
    internal sealed record Work(Company Company, LockMode Mode, Action<WriteTransaction> Do);

    /// <summary>The messages of one request. They are stored together or not at all.</summary>
    internal sealed class Append(IReadOnlyList<Message> messages, RejectionRecord? rejected, Work? work = null)
    {
        /// <summary>The approximate memory of an append and of a message, beside the sent bytes.</summary>
        private const int AppendBytes = 2048, MessageBytes = 256;

        /// <summary>This many bytes cost about as much to write as a message.</summary>
        private const double UnitBytes = 4096;

        // Continuations run on the pool thread that answers the batch. They send an answer and never block.
        private readonly TaskCompletionSource<Receipt[]> answer = new();

        public IReadOnlyList<Message> Messages { get; } = messages;

        /// <summary>Its approximate memory.</summary>
        public long Bytes { get; } = AppendBytes + messages.Sum(message => MessageBytes + message switch
        {
            TrackedEvent tracked => tracked.Data.Length + tracked.Context.Length,
            Identify identify => identify.Said.Length,
            _ => 0,
        }) + (rejected?.Events.Sum(item => item.Body.Length) ?? 0);

        /// <summary>The rejected items of the same request, which are stored too.</summary>
        public RejectionRecord? Rejected { get; } = rejected;

        /// <summary>An operator's work; null for messages.</summary>
        public Work? Work { get; } = work;

        public Receipt[] Receipts { get; } = messages.Count == 0 ? [] : new Receipt[messages.Count];

        /// <summary>The company; null for a probe.</summary>
        public Company? Company => Messages.Count > 0 ? Messages[0].Company : Rejected?.Company ?? Work?.Company;

        /// <summary>The sender whose share it uses.</summary>
        public Sender Sender => new(Company?.Number ?? Engine.NoCompany, (Messages.Count > 0 ? Messages[0].Order.Origin : Rejected?.Origin) switch
        {
            Origin.Browser => SenderKind.Browsers,
            Origin.Server => SenderKind.BackEnd,
            _ => SenderKind.Operators,
        });

        /// <summary>The amount of writing, in the unit of <see cref="ServiceTimes"/>.</summary>
        public double Units => Math.Max(1, Messages.Count + (Rejected?.Events.Count ?? 0) + (Bytes / UnitBytes));

        /// <summary>The timestamp at which it was queued.</summary>
        public long Since { get; set; }

        /// <summary>Whether it only tests if the store can be written.</summary>
        public bool IsProbe => Messages.Count == 0 && Rejected is null && Work is null;

        /// <summary>The companies that it writes, with the lock that it needs on each.</summary>
        public IEnumerable<(long Company, LockMode Mode)> Holds()
        {
            foreach (var message in Messages) yield return (message.Company.Number, message is TrackedEvent { Order.Origin: Origin.Browser } ? LockMode.Append : LockMode.Bind);
            if (Rejected is { } record) yield return (record.Company.Number, LockMode.Append);
            if (Work is { } asked) yield return (asked.Company.Number, asked.Mode);
        }

        /// <summary>The companies for which it stored or rejected something. Repeats do not count.</summary>
        public IEnumerable<long> ChangedCompanies()
        {
            for (var i = 0; i < Messages.Count; i++)
            {
                if (!Receipts[i].Duplicate) yield return Messages[i].Company.Number;
            }

            if (Rejected is { } record) yield return record.Company.Number;
        }

        /// <summary>The failure of the transaction; set by the writer.</summary>
        public Exception? Failure { get; set; }

        /// <summary>Whether the commit failed in a way that leaves open whether the messages are stored.</summary>
        public bool MayBeStored { get; set; }

        public Task<Receipt[]> Task => answer.Task;

        public void Answer()
        {
            if (Failure is null) answer.TrySetResult(Receipts);
            else answer.TrySetException(new StoreUnavailableException(ResultText(MayBeStored), Failure));
        }

        /// <summary>Answers with a failure before the writer is done.</summary>
        public void GiveUp(bool mayBeStored)
        {
            if (answer.TrySetException(new StoreUnavailableException(ResultText(mayBeStored)) { IsInUse = mayBeStored })) StoreMetrics.NotQueued("late");
        }

        private string ResultText(bool mayBeStored) => (mayBeStored, Work is null) switch
        {
            (false, true) => "The store cannot write now; nothing of this was stored, send it again.",
            (false, false) => "The store cannot write now; nothing was done, try it again.",
            (true, true) => "The store has not answered whether it stored this; send it again with the same eventId, and it is there once.",
            (true, false) => "The store has not answered whether this was done; look before you try it again.",
        };
    }
}
