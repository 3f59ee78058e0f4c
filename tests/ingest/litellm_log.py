"""LiteLLM's standard logging payload, shortened to what matters; its shape is that of
litellm/types/utils.py, and test_litellm_client.py sends the real one."""

from typing import Any

STARTED = 1794994200.123456  # 2026-11-18T09:30:00.123456Z


def a_payload(number: int = 1, **told: Any) -> dict[str, Any]:
    metadata = {
        "user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f12",
        "user_api_key_alias": "prod",
        "user_api_key_team_id": "team-1",
        "user_api_key_org_id": None,
        "user_api_key_user_id": "user-7",
        "user_api_key_end_user_id": None,
        "requester_ip_address": "198.51.100.7",
        "user_agent": "OpenAI/Python 1.52.0",
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 700},
            "completion_tokens_details": {"reasoning_tokens": 90},
        },
    }
    return {
        "id": f"chatcmpl-{number}",
        "litellm_call_id": f"call-{number}",
        "trace_id": f"trace-{number}",
        "session_id": "conv-77",
        "call_type": "acompletion",
        "stream": True,
        "status": "success",
        "custom_llm_provider": "openai",
        "prompt_tokens": 812,
        "completion_tokens": 1540,
        "total_tokens": 2352,
        "startTime": STARTED,
        "endTime": STARTED + 1.2346,
        "model": "nova-2-2026-11",
        "model_group": "nova-2",
        "cache_hit": False,
        "end_user": "acct-9f2",
        "requester_ip_address": "198.51.100.7",
        "user_agent": "OpenAI/Python 1.52.0",
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": [{"type": "text", "text": "What is a tide?"}]},
            {"role": "assistant", "content": "Water, moved by the moon."},
            {"role": "user", "content": "Why twice a day?"},
        ],
        "response": {
            "choices": [
                {
                    "finish_reason": "stop",
                    "index": 0,
                    "message": {"role": "assistant", "content": "Two bulges."},
                }
            ]
        },
        "error_information": None,
        "model_parameters": {
            "temperature": 0.5,
            "max_tokens": 4096,
            "tools": [{"type": "function"}],
        },
        "model_map_information": {"model_map_key": "nova", "model_map_value": None},
        **told,
        "metadata": {**metadata, **told.get("metadata", {})},
    }
